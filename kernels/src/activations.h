/* logistic and tanh, gemmlowp's (fixedpoint/fixedpoint.h), on wide.h's vectors.
 *
 * These are the interpreter's functions operation by operation, since neither is the nearest value and an
 * imitation with exact functions gets one int8 output in twenty wrong. What is left out here cannot happen,
 * and a test goes through all 65,536 inputs of all eight functions on every instruction set.
 * Qm.n: m integer bits, n fraction bits, m + n = 15. mul(a, b) is H16: floor(a b / 2^15 + 1/2).
 */

/* 1/3, e^(-1/8) and e^-(2^k) for k = -2 ... 4: Q0.15, rounded to Q0.31 first. */
enum { THIRD = 10923, EXP_EIGHTH = 28918 };
static const int16_t EXP_OF_BIT[7] = {25520, 19875, 12055, 4435, 600, 11, 0};

/* exp(a), a <= 0 in Q(bits), Q0.15; anything for a = 0, which the callers replace.
 * a = remainder - k/4, remainder in [-1/4, 0): exp(remainder) by a Taylor series around -1/8, times a factor
 * for each bit that is set in k. The factor e^-16 is 0 in Q0.15. */
FL_INLINE W16 exp_of_negative(W16 a, int bits) {
    const int quarter = 1 << (13 - bits);
    W16 remainder = w_sub(w_and(a, w_set(quarter - 1)), w_set(quarter));
    /* In [-2^13, 0) in Q0.15: gemmlowp's saturating shift has nothing to saturate. */
    W16 x = w_add(w_shift_left(remainder, bits), w_set(1 << 12));
    W16 x2 = w_mul(x, x), x3 = w_mul(x2, x), x4 = w_mul(x2, x2);
    /* Both sums are >= 0 (x^4 / 4 is, and x^2 > |x^3|): halves away from zero are halves up there. */
    W16 quarter_x4 = w_shift_right(w_add(x4, w_set(2)), 2);
    W16 tail = w_add(w_mul(w_add(quarter_x4, x3), w_set(THIRD)), x2);
    tail = w_shift_right(w_add(tail, w_set(1)), 1);
    W16 result = w_add_saturating(w_set(EXP_EIGHTH), w_mul(w_add(x, tail), w_set(EXP_EIGHTH)));
    W16 k = w_sub(remainder, a);
    FL_UNROLL
    for (int bit = 0; bit < 7; bit++)
        if (13 - bits + bit < 15) /* a bit beyond the format is set in no k */
            result = w_mul_where(result, k, (int16_t)(1 << (13 - bits + bit)), EXP_OF_BIT[bit]);
    /* With 6 or 7 integer bits there are bits in k that have no factor: below -32 the result is 0. */
    if (bits > 5) result = w_zero_where_less(result, a, (int16_t)-(32 << (15 - bits)));
    return result;
}

/* 2 / (1 + z), z in [0, 1) in Q0.15: Q2.13. Three Newton steps from 48/17 - 32/17 d.
 * All of it stays within 2^14 in size, so no shift or sum saturates. */
FL_INLINE W16 reciprocal_of_half_sum(W16 z) {
    W16 d = w_add(w_shift_right(z, 1), w_set(1 << 14)); /* (z + 32767 + 1) >> 1, which needs 17 bits */
    W16 y = w_add(w_set(23130), w_mul(d, w_set(-15420)));
    for (int i = 0; i < 3; i++)
        y = w_add(y, w_shift_left(w_mul(y, w_sub(w_set(1 << 13), w_mul(d, y))), 2));
    return y;
}

/* -|a|, which unlike |a| fits for every a. */
FL_INLINE W16 negative_of_size(W16 a) { return w_min(a, w_sub(w_set(0), a)); }

/* 1 / (1 + exp(-a)): Q3.12 -> Q0.15. */
FL_INLINE W16 logistic(W16 a) {
    W16 y = reciprocal_of_half_sum(exp_of_negative(negative_of_size(a), 3));
    W16 positive = w_add_saturating(y, y);
    /* For a < 0 it is 32767 - positive; with positive in [0, 32767] the same as inverting 15 bits. */
    W16 result = w_xor(positive, w_and(w_shift_right(a, 15), w_set(32767)));
    return w_replace_where_zero(result, a, 1 << 14);
}

/* (1 - z) / (1 + z) with z = exp(-2 |a|) and a's sign: Q(bits) -> Q0.15. */
FL_INLINE W16 tanh_fixed(W16 a, int bits) {
    /* -2 |a| is the same integer, read with one integer bit more. */
    W16 y = reciprocal_of_half_sum(exp_of_negative(negative_of_size(a), bits + 1));
    W16 size = w_sub(y, w_set(1 << 13)); /* times 4, saturating at 32767 */
    size = w_add_saturating(size, size);
    return w_with_sign_of(w_add_saturating(size, size), a);
}
