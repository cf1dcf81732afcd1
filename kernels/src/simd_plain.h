/* Vectors in plain C: what each function computes. The other instruction sets do the same, faster. */
#ifndef FL_SIMD_PLAIN_H
#define FL_SIMD_PLAIN_H

#include "inline.h"

#include <stdint.h>
#include <string.h>

enum { LANES = 8, WIDE = 1 };

typedef struct { int16_t lane[LANES]; } V16;
typedef struct { int32_t lane[LANES / 2]; } V32;
typedef struct { int8_t column[4]; } OPERAND;

#define EACH16(expression) \
    V16 r; \
    for (int n = 0; n < LANES; n++) r.lane[n] = (int16_t)(expression); \
    return r
#define EACH32(expression) \
    V32 r; \
    for (int n = 0; n < LANES / 2; n++) r.lane[n] = (int32_t)(expression); \
    return r

static inline int32_t saturate(int32_t x, int32_t limit) { return x < -limit - 1 ? -limit - 1 : x > limit ? limit : x; }

/* Sums, differences and left shifts wrap unless they say that they saturate. */
FL_INLINE V16 set16(int x) { EACH16(x); }
FL_INLINE V16 load16(const int16_t *from) { EACH16(from[n]); }
FL_INLINE void store16(int16_t *to, V16 a) { memcpy(to, &a, sizeof a); }
FL_INLINE void store8(int8_t *to, V16 a) {
    for (int n = 0; n < LANES; n++) to[n] = (int8_t)saturate(a.lane[n], 127);
}
FL_INLINE V16 add16(V16 a, V16 b) { EACH16(a.lane[n] + b.lane[n]); }
FL_INLINE V16 sub16(V16 a, V16 b) { EACH16(a.lane[n] - b.lane[n]); }
FL_INLINE V16 add_saturating16(V16 a, V16 b) { EACH16(saturate(a.lane[n] + b.lane[n], 32767)); }
FL_INLINE V16 and16(V16 a, V16 b) { EACH16(a.lane[n] & b.lane[n]); }
FL_INLINE V16 xor16(V16 a, V16 b) { EACH16(a.lane[n] ^ b.lane[n]); }
FL_INLINE V16 min16(V16 a, V16 b) { EACH16(a.lane[n] < b.lane[n] ? a.lane[n] : b.lane[n]); }
FL_INLINE V16 max16(V16 a, V16 b) { EACH16(a.lane[n] > b.lane[n] ? a.lane[n] : b.lane[n]); }
FL_INLINE V16 shift_left16(V16 a, int bits) { EACH16((uint32_t)a.lane[n] << bits); }
FL_INLINE V16 shift_right16(V16 a, int bits) { EACH16(a.lane[n] >> bits); } /* arithmetic: floor */

/* H16(a, b) = floor(a b / 2^15 + 1/2); not both are -2^15. */
FL_INLINE V16 mul16(V16 a, V16 b) { EACH16((a.lane[n] * b.lane[n] + (1 << 14)) >> 15); }

/* mul16(a, factor) where the bit of `mask` (one bit, not the sign) is set in `bits`, else a. */
FL_INLINE V16 mul_where16(V16 a, V16 bits, int16_t mask, int16_t factor) {
    V16 product = mul16(a, set16(factor));
    EACH16(bits.lane[n] & mask ? product.lane[n] : a.lane[n]);
}
/* 0 where b < limit, else a. */
FL_INLINE V16 zero_where_less16(V16 a, V16 b, int16_t limit) { EACH16(b.lane[n] < limit ? 0 : a.lane[n]); }
/* `value` where b = 0, else a. */
FL_INLINE V16 replace_where_zero16(V16 a, V16 b, int value) { EACH16(b.lane[n] == 0 ? value : a.lane[n]); }
/* a, -a or 0 where b is > 0, < 0 or 0. */
FL_INLINE V16 with_sign_of16(V16 a, V16 b) {
    EACH16(b.lane[n] < 0 ? -a.lane[n] : b.lane[n] > 0 ? a.lane[n] : 0);
}

/* A V16 as two V32, its low and high half, and joined again with saturation. (Which lanes are the low half
 * is the instruction set's business, as long as it is the same everywhere: fl_unit_in_block.) */
FL_INLINE V32 widen_low16(V16 a) { EACH32(a.lane[n]); }
FL_INLINE V32 widen_high16(V16 a) { EACH32(a.lane[n + LANES / 2]); }
FL_INLINE V16 join16(V32 low, V32 high) {
    EACH16(saturate(n < LANES / 2 ? low.lane[n] : high.lane[n - LANES / 2], 32767));
}
FL_INLINE void multiply16(V16 a, V16 b, V32 *low, V32 *high) {
    for (int n = 0; n < LANES / 2; n++) {
        low->lane[n] = a.lane[n] * b.lane[n];
        high->lane[n] = a.lane[n + LANES / 2] * b.lane[n + LANES / 2];
    }
}

FL_INLINE V32 set32(int32_t x) { EACH32(x); }
FL_INLINE V32 load32(const int32_t *from) { EACH32(from[n]); }
FL_INLINE V32 add32(V32 a, V32 b) { EACH32((uint32_t)a.lane[n] + (uint32_t)b.lane[n]); }
FL_INLINE V32 shift_left32(V32 a, int32_t bits) { EACH32((uint32_t)a.lane[n] << bits); }

/* H32(a, factor) = floor(a factor / 2^31 + 1/2), factor >= 0. */
FL_INLINE V32 doubling_high_mul32(V32 a, int32_t factor) {
    EACH32(((int64_t)a.lane[n] * factor + (1 << 30)) >> 31);
}
/* R(a, bits): to the nearest, halves away from zero; nudge and mask as in fl_multiplier. */
FL_INLINE V32 rounding_shift_right32(V32 a, int32_t bits, int32_t nudge, int32_t mask) {
    EACH32((a.lane[n] + nudge + ((a.lane[n] >> 31) & mask)) >> bits);
}

/* The dot product: `count` values of a row as an operand, a group's values of it, and the sum of a group's
 * products with a half's weights. Values behind the last one meet weights of 0. */
FL_INLINE void store_operand(int8_t *to, const int8_t *from, int32_t count) { memcpy(to, from, (size_t)count); }
FL_INLINE OPERAND load_operand(const int8_t *operand, int32_t group) {
    OPERAND x;
    memcpy(&x, operand + 4 * group, sizeof x);
    return x;
}
FL_INLINE V32 add_dot(V32 sum, OPERAND x, const int8_t *weights) {
    V32 r = sum;
    for (int n = 0; n < LANES / 2; n++, weights += 4) {
        int32_t dot = 0;
        for (int k = 0; k < 4; k++) dot += x.column[k] * weights[k];
        r.lane[n] = (int32_t)((uint32_t)sum.lane[n] + (uint32_t)dot);
    }
    return r;
}

#endif
