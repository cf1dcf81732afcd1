/* NEON (Advanced SIMD of aarch64): 8 lanes of int16. All but the dot product. */
#ifndef FL_SIMD_NEON_H
#define FL_SIMD_NEON_H

#include "inline.h"

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 8, WIDE = 2 };

typedef int16x8_t V16;
typedef int32x4_t V32;

FL_INLINE V16 set16(int x) { return vdupq_n_s16((int16_t)x); }
FL_INLINE V16 load16(const int16_t *from) { return vld1q_s16(from); }
FL_INLINE void store16(int16_t *to, V16 a) { vst1q_s16(to, a); }
FL_INLINE void store8(int8_t *to, V16 a) { vst1_s8(to, vqmovn_s16(a)); }
FL_INLINE V16 add16(V16 a, V16 b) { return vaddq_s16(a, b); }
FL_INLINE V16 sub16(V16 a, V16 b) { return vsubq_s16(a, b); }
FL_INLINE V16 add_saturating16(V16 a, V16 b) { return vqaddq_s16(a, b); }
FL_INLINE V16 and16(V16 a, V16 b) { return vandq_s16(a, b); }
FL_INLINE V16 xor16(V16 a, V16 b) { return veorq_s16(a, b); }
FL_INLINE V16 min16(V16 a, V16 b) { return vminq_s16(a, b); }
FL_INLINE V16 max16(V16 a, V16 b) { return vmaxq_s16(a, b); }
FL_INLINE V16 shift_left16(V16 a, int bits) { return vshlq_s16(a, set16(bits)); }
FL_INLINE V16 shift_right16(V16 a, int bits) { return vshlq_s16(a, set16(-bits)); }

/* sqrdmulh is (2 a b + 2^15) >> 16, saturating: floor(a b / 2^15 + 1/2). */
FL_INLINE V16 mul16(V16 a, V16 b) { return vqrdmulhq_s16(a, b); }

FL_INLINE V16 mul_where16(V16 a, V16 bits, int16_t mask, int16_t factor) {
    return vbslq_s16(vtstq_s16(bits, set16(mask)), mul16(a, set16(factor)), a);
}
FL_INLINE V16 zero_where_less16(V16 a, V16 b, int16_t limit) {
    return vbicq_s16(a, vreinterpretq_s16_u16(vcltq_s16(b, set16(limit))));
}
FL_INLINE V16 replace_where_zero16(V16 a, V16 b, int value) {
    return vbslq_s16(vceqzq_s16(b), set16(value), a);
}
FL_INLINE V16 with_sign_of16(V16 a, V16 b) {
    V16 signed_ = vbslq_s16(vcltzq_s16(b), vnegq_s16(a), a);
    return vandq_s16(signed_, vreinterpretq_s16_u16(vtstq_s16(b, b)));
}

FL_INLINE V32 widen_low16(V16 a) { return vmovl_s16(vget_low_s16(a)); }
FL_INLINE V32 widen_high16(V16 a) { return vmovl_high_s16(a); }
FL_INLINE V16 join16(V32 low, V32 high) { return vqmovn_high_s32(vqmovn_s32(low), high); }
FL_INLINE void multiply16(V16 a, V16 b, V32 *low, V32 *high) {
    *low = vmull_s16(vget_low_s16(a), vget_low_s16(b)), *high = vmull_high_s16(a, b);
}

FL_INLINE V32 set32(int32_t x) { return vdupq_n_s32(x); }
FL_INLINE V32 load32(const int32_t *from) { return vld1q_s32(from); }
FL_INLINE V32 add32(V32 a, V32 b) { return vaddq_s32(a, b); }
FL_INLINE V32 shift_left32(V32 a, int32_t bits) { return vshlq_s32(a, set32(bits)); }
FL_INLINE V32 doubling_high_mul32(V32 a, int32_t factor) { return vqrdmulhq_n_s32(a, factor); }

/* srshl rounds halves up and adds the nudge itself; one less for negative values makes that away from zero. */
FL_INLINE V32 rounding_shift_right32(V32 a, int32_t bits, int32_t nudge, int32_t mask) {
    (void)nudge;
    V32 minus_one_if_negative = vandq_s32(vshrq_n_s32(a, 31), set32(mask));
    return vrshlq_s32(vaddq_s32(a, minus_one_if_negative), set32(-bits));
}

#endif
