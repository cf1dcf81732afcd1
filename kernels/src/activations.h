/* logistic and tanh, gemmlowp's (fixedpoint/fixedpoint.h), on whatever vector the including file brings.
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
static inline V16 exp_of_negative(V16 a, int bits) {
    const int quarter = 1 << (13 - bits);
    V16 remainder = sub16(and16(a, set16(quarter - 1)), set16(quarter));
    /* In [-2^13, 0) in Q0.15: gemmlowp's saturating shift has nothing to saturate. */
    V16 x = add16(shift_left16(remainder, bits), set16(1 << 12));
    V16 x2 = mul16(x, x), x3 = mul16(x2, x), x4 = mul16(x2, x2);
    /* Both sums are >= 0 (x^4 / 4 is, and x^2 > |x^3|): halves away from zero are halves up there. */
    V16 quarter_x4 = shift_right16(add16(x4, set16(2)), 2);
    V16 tail = add16(mul16(add16(quarter_x4, x3), set16(THIRD)), x2);
    tail = shift_right16(add16(tail, set16(1)), 1);
    V16 result = add_saturating16(set16(EXP_EIGHTH), mul16(add16(x, tail), set16(EXP_EIGHTH)));
    V16 k = sub16(remainder, a);
    FL_UNROLL
    for (int bit = 0; bit < 7; bit++)
        if (13 - bits + bit < 15) /* a bit beyond the format is set in no k */
            result = mul_where16(result, k, (int16_t)(1 << (13 - bits + bit)), EXP_OF_BIT[bit]);
    /* With 6 or 7 integer bits there are bits in k that have no factor: below -32 the result is 0. */
    if (bits > 5) result = zero_where_less16(result, a, (int16_t)-(32 << (15 - bits)));
    return result;
}

/* 2 / (1 + z), z in [0, 1) in Q0.15: Q2.13. Three Newton steps from 48/17 - 32/17 d.
 * All of it stays within 2^14 in size, so no shift or sum saturates. */
static inline V16 reciprocal_of_half_sum(V16 z) {
    V16 d = add16(shift_right16(z, 1), set16(1 << 14)); /* (z + 32767 + 1) >> 1, which needs 17 bits */
    V16 y = add16(set16(23130), mul16(d, set16(-15420)));
    for (int i = 0; i < 3; i++)
        y = add16(y, shift_left16(mul16(y, sub16(set16(1 << 13), mul16(d, y))), 2));
    return y;
}

/* -|a|, which unlike |a| fits for every a. */
static inline V16 negative_of_size16(V16 a) { return min16(a, sub16(set16(0), a)); }

/* 1 / (1 + exp(-a)): Q3.12 -> Q0.15. */
static inline V16 logistic(V16 a) {
    V16 y = reciprocal_of_half_sum(exp_of_negative(negative_of_size16(a), 3));
    V16 positive = add_saturating16(y, y);
    /* For a < 0 it is 32767 - positive; with positive in [0, 32767] the same as inverting 15 bits. */
    V16 result = xor16(positive, and16(shift_right16(a, 15), set16(32767)));
    return replace_where_zero16(result, a, 1 << 14);
}

/* (1 - z) / (1 + z) with z = exp(-2 |a|) and a's sign: Q(bits) -> Q0.15. */
static inline V16 tanh_fixed(V16 a, int bits) {
    /* -2 |a| is the same integer, read with one integer bit more. */
    V16 y = reciprocal_of_half_sum(exp_of_negative(negative_of_size16(a), bits + 1));
    V16 size = sub16(y, set16(1 << 13)); /* times 4, saturating at 32767 */
    size = add_saturating16(size, size);
    return with_sign_of16(add_saturating16(size, size), a);
}
