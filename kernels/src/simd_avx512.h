/* AVX-512 with BW, VL and VNNI: 32 lanes of int16. As simd_avx2.h, with masks for selections. */
#ifndef FL_SIMD_AVX512_H
#define FL_SIMD_AVX512_H

#include "inline.h"

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 32, WIDE = 2 };

typedef __m512i V16;
typedef __m512i V32;

FL_INLINE V16 set16(int x) { return _mm512_set1_epi16((int16_t)x); }
FL_INLINE V16 load16(const int16_t *from) { return _mm512_load_si512(from); }
FL_INLINE void store16(int16_t *to, V16 a) { _mm512_store_si512(to, a); }
FL_INLINE void store8(int8_t *to, V16 a) { _mm256_store_si256((__m256i *)to, _mm512_cvtsepi16_epi8(a)); }
FL_INLINE V16 add16(V16 a, V16 b) { return _mm512_add_epi16(a, b); }
FL_INLINE V16 sub16(V16 a, V16 b) { return _mm512_sub_epi16(a, b); }
FL_INLINE V16 add_saturating16(V16 a, V16 b) { return _mm512_adds_epi16(a, b); }
FL_INLINE V16 and16(V16 a, V16 b) { return _mm512_and_si512(a, b); }
FL_INLINE V16 xor16(V16 a, V16 b) { return _mm512_xor_si512(a, b); }
FL_INLINE V16 min16(V16 a, V16 b) { return _mm512_min_epi16(a, b); }
FL_INLINE V16 max16(V16 a, V16 b) { return _mm512_max_epi16(a, b); }
FL_INLINE V16 shift_left16(V16 a, int bits) {
    return __builtin_constant_p(bits) ? _mm512_slli_epi16(a, bits) : _mm512_sll_epi16(a, _mm_cvtsi32_si128(bits));
}
FL_INLINE V16 shift_right16(V16 a, int bits) {
    return __builtin_constant_p(bits) ? _mm512_srai_epi16(a, bits) : _mm512_sra_epi16(a, _mm_cvtsi32_si128(bits));
}
FL_INLINE V16 mul16(V16 a, V16 b) { return _mm512_mulhrs_epi16(a, b); }

FL_INLINE V16 mul_where16(V16 a, V16 bits, int16_t mask, int16_t factor) {
    return _mm512_mask_mulhrs_epi16(a, _mm512_test_epi16_mask(bits, set16(mask)), a, set16(factor));
}
FL_INLINE V16 zero_where_less16(V16 a, V16 b, int16_t limit) {
    return _mm512_maskz_mov_epi16(_mm512_cmpge_epi16_mask(b, set16(limit)), a);
}
FL_INLINE V16 replace_where_zero16(V16 a, V16 b, int value) {
    return _mm512_mask_mov_epi16(a, _mm512_testn_epi16_mask(b, b), set16(value));
}
FL_INLINE V16 with_sign_of16(V16 a, V16 b) {
    V16 signed_ = _mm512_mask_sub_epi16(a, _mm512_movepi16_mask(b), _mm512_setzero_si512(), a);
    return _mm512_maskz_mov_epi16(_mm512_test_epi16_mask(b, b), signed_);
}

FL_INLINE V32 widen_low16(V16 a) { return _mm512_srai_epi32(_mm512_unpacklo_epi16(a, a), 16); }
FL_INLINE V32 widen_high16(V16 a) { return _mm512_srai_epi32(_mm512_unpackhi_epi16(a, a), 16); }
FL_INLINE V16 join16(V32 low, V32 high) { return _mm512_packs_epi32(low, high); }
FL_INLINE void multiply16(V16 a, V16 b, V32 *low, V32 *high) {
    __m512i lower = _mm512_mullo_epi16(a, b), upper = _mm512_mulhi_epi16(a, b);
    *low = _mm512_unpacklo_epi16(lower, upper), *high = _mm512_unpackhi_epi16(lower, upper);
}

FL_INLINE V32 set32(int32_t x) { return _mm512_set1_epi32(x); }
FL_INLINE V32 load32(const int32_t *from) { return _mm512_load_si512(from); }
FL_INLINE V32 add32(V32 a, V32 b) { return _mm512_add_epi32(a, b); }
FL_INLINE V32 shift_left32(V32 a, int32_t bits) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(bits)); }
FL_INLINE V32 doubling_high_mul32(V32 a, int32_t factor) {
    const __m512i by = _mm512_set1_epi32(factor), half = _mm512_set1_epi64(1 << 30);
    __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, by), half);
    __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), by), half);
    return _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 31), 0xAAAA, _mm512_add_epi64(odd, odd));
}
FL_INLINE V32 rounding_shift_right32(V32 a, int32_t bits, int32_t nudge, int32_t mask) {
    __m512i minus_one_if_negative = _mm512_and_si512(_mm512_srai_epi32(a, 31), set32(mask));
    __m512i nudged = _mm512_add_epi32(_mm512_add_epi32(a, set32(nudge)), minus_one_if_negative);
    return _mm512_sra_epi32(nudged, _mm_cvtsi32_si128(bits));
}

/* The dot product: see path_avx_vnni.c. */
typedef __m512i OPERAND;

FL_INLINE void store_operand(int8_t *to, const int8_t *from, int32_t count) { memcpy(to, from, (size_t)count); }
FL_INLINE OPERAND load_operand(const int8_t *operand, int32_t group) {
    int32_t four;
    memcpy(&four, operand + 4 * group, sizeof four);
    return _mm512_xor_si512(_mm512_set1_epi32(four), _mm512_set1_epi8(-128));
}
FL_INLINE V32 add_dot(V32 sum, OPERAND x, const int8_t *weights) {
    return _mm512_dpbusd_epi32(sum, x, _mm512_load_si512(weights));
}

#endif
