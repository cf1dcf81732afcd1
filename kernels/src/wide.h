/* Several vectors side by side, WIDE of them, and every function on all.
 *
 * The gates are long chains of operations, each waiting for the one before: some 90 cycles for a logistic,
 * then the cell, then its tanh. A CPU looks ahead far enough to run the gates of one block of units beside
 * each other, but not to reach the next block. With the chains of two blocks interleaved instruction by
 * instruction, the second one runs while the first one waits. (Measured on Zen 5, 64 units: gates, cell and h
 * of a step take 0.71 of the time with AVX-512, 0.69 with AVX2.)
 */
#ifndef FL_WIDE_H
#define FL_WIDE_H

typedef struct { V16 part[WIDE]; } W16;

#define EACH_PART(expression) \
    W16 r; \
    FL_UNROLL \
    for (int n = 0; n < WIDE; n++) r.part[n] = (expression); \
    return r

FL_INLINE W16 w_set(int x) { EACH_PART(set16(x)); }
FL_INLINE W16 w_load(const int16_t *from, int stride) { EACH_PART(load16(from + n * stride)); }
FL_INLINE W16 w_add(W16 a, W16 b) { EACH_PART(add16(a.part[n], b.part[n])); }
FL_INLINE W16 w_sub(W16 a, W16 b) { EACH_PART(sub16(a.part[n], b.part[n])); }
FL_INLINE W16 w_add_saturating(W16 a, W16 b) { EACH_PART(add_saturating16(a.part[n], b.part[n])); }
FL_INLINE W16 w_and(W16 a, W16 b) { EACH_PART(and16(a.part[n], b.part[n])); }
FL_INLINE W16 w_xor(W16 a, W16 b) { EACH_PART(xor16(a.part[n], b.part[n])); }
FL_INLINE W16 w_min(W16 a, W16 b) { EACH_PART(min16(a.part[n], b.part[n])); }
FL_INLINE W16 w_max(W16 a, W16 b) { EACH_PART(max16(a.part[n], b.part[n])); }
FL_INLINE W16 w_shift_left(W16 a, int bits) { EACH_PART(shift_left16(a.part[n], bits)); }
FL_INLINE W16 w_shift_right(W16 a, int bits) { EACH_PART(shift_right16(a.part[n], bits)); }
FL_INLINE W16 w_mul(W16 a, W16 b) { EACH_PART(mul16(a.part[n], b.part[n])); }
FL_INLINE W16 w_mul_where(W16 a, W16 bits, int16_t mask, int16_t factor) {
    EACH_PART(mul_where16(a.part[n], bits.part[n], mask, factor));
}
FL_INLINE W16 w_zero_where_less(W16 a, W16 b, int16_t limit) {
    EACH_PART(zero_where_less16(a.part[n], b.part[n], limit));
}
FL_INLINE W16 w_replace_where_zero(W16 a, W16 b, int value) {
    EACH_PART(replace_where_zero16(a.part[n], b.part[n], value));
}
FL_INLINE W16 w_with_sign_of(W16 a, W16 b) { EACH_PART(with_sign_of16(a.part[n], b.part[n])); }

#endif
