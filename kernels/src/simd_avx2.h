/* AVX2: 16 lanes of int16. Also what AVX-VNNI takes, all but the dot product. */
#ifndef FL_SIMD_AVX2_H
#define FL_SIMD_AVX2_H

#include "inline.h"

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 16, WIDE = 2 };

typedef __m256i V16;
typedef __m256i V32;

FL_INLINE V16 set16(int x) { return _mm256_set1_epi16((int16_t)x); }
FL_INLINE V16 load16(const int16_t *from) { return _mm256_load_si256((const __m256i *)from); }
FL_INLINE void store16(int16_t *to, V16 a) { _mm256_store_si256((__m256i *)to, a); }
FL_INLINE void store8(int8_t *to, V16 a) {
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, a), 0x08);
    _mm_store_si128((__m128i *)to, _mm256_castsi256_si128(packed));
}
FL_INLINE V16 add16(V16 a, V16 b) { return _mm256_add_epi16(a, b); }
FL_INLINE V16 sub16(V16 a, V16 b) { return _mm256_sub_epi16(a, b); }
FL_INLINE V16 add_saturating16(V16 a, V16 b) { return _mm256_adds_epi16(a, b); }
FL_INLINE V16 and16(V16 a, V16 b) { return _mm256_and_si256(a, b); }
FL_INLINE V16 xor16(V16 a, V16 b) { return _mm256_xor_si256(a, b); }
FL_INLINE V16 min16(V16 a, V16 b) { return _mm256_min_epi16(a, b); }
FL_INLINE V16 max16(V16 a, V16 b) { return _mm256_max_epi16(a, b); }
FL_INLINE V16 shift_left16(V16 a, int bits) {
    return __builtin_constant_p(bits) ? _mm256_slli_epi16(a, bits) : _mm256_sll_epi16(a, _mm_cvtsi32_si128(bits));
}
FL_INLINE V16 shift_right16(V16 a, int bits) {
    return __builtin_constant_p(bits) ? _mm256_srai_epi16(a, bits) : _mm256_sra_epi16(a, _mm_cvtsi32_si128(bits));
}

/* vpmulhrsw is ((a b >> 14) + 1) >> 1 = floor(a b / 2^15 + 1/2). */
FL_INLINE V16 mul16(V16 a, V16 b) { return _mm256_mulhrs_epi16(a, b); }

FL_INLINE V16 mul_where16(V16 a, V16 bits, int16_t mask, int16_t factor) {
    __m256i set = _mm256_cmpgt_epi16(_mm256_and_si256(bits, set16(mask)), _mm256_setzero_si256());
    return _mm256_blendv_epi8(a, mul16(a, set16(factor)), set);
}
FL_INLINE V16 zero_where_less16(V16 a, V16 b, int16_t limit) {
    return _mm256_andnot_si256(_mm256_cmpgt_epi16(set16(limit), b), a);
}
FL_INLINE V16 replace_where_zero16(V16 a, V16 b, int value) {
    return _mm256_blendv_epi8(a, set16(value), _mm256_cmpeq_epi16(b, _mm256_setzero_si256()));
}
FL_INLINE V16 with_sign_of16(V16 a, V16 b) { return _mm256_sign_epi16(a, b); }

/* The low half is the low 64 bits of each 128: what unpack and pack pair. */
FL_INLINE V32 widen_low16(V16 a) { return _mm256_srai_epi32(_mm256_unpacklo_epi16(a, a), 16); }
FL_INLINE V32 widen_high16(V16 a) { return _mm256_srai_epi32(_mm256_unpackhi_epi16(a, a), 16); }
FL_INLINE V16 join16(V32 low, V32 high) { return _mm256_packs_epi32(low, high); }
FL_INLINE void multiply16(V16 a, V16 b, V32 *low, V32 *high) {
    __m256i lower = _mm256_mullo_epi16(a, b), upper = _mm256_mulhi_epi16(a, b);
    *low = _mm256_unpacklo_epi16(lower, upper), *high = _mm256_unpackhi_epi16(lower, upper);
}

FL_INLINE V32 set32(int32_t x) { return _mm256_set1_epi32(x); }
FL_INLINE V32 load32(const int32_t *from) { return _mm256_load_si256((const __m256i *)from); }
FL_INLINE V32 add32(V32 a, V32 b) { return _mm256_add_epi32(a, b); }
FL_INLINE V32 shift_left32(V32 a, int32_t bits) { return _mm256_sll_epi32(a, _mm_cvtsi32_si128(bits)); }

/* 64-bit products of the even and of the odd lanes. Of p + 2^30 the bits 31 to 62 are wanted: in the even
 * lanes shifted down to the low half, in the odd ones up to the high half, where a blend finds them. */
FL_INLINE V32 doubling_high_mul32(V32 a, int32_t factor) {
    const __m256i by = _mm256_set1_epi32(factor), half = _mm256_set1_epi64x(1 << 30);
    __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, by), half);
    __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), by), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_add_epi64(odd, odd), 0xAA);
}
FL_INLINE V32 rounding_shift_right32(V32 a, int32_t bits, int32_t nudge, int32_t mask) {
    __m256i minus_one_if_negative = _mm256_and_si256(_mm256_srai_epi32(a, 31), set32(mask));
    __m256i nudged = _mm256_add_epi32(_mm256_add_epi32(a, set32(nudge)), minus_one_if_negative);
    return _mm256_sra_epi32(nudged, _mm_cvtsi32_si128(bits));
}

FL_INLINE void store_operand(int8_t *to, const int8_t *from, int32_t count) { memcpy(to, from, (size_t)count); }
FL_INLINE __m256i load_group(const int8_t *operand, int32_t group) {
    int32_t four;
    memcpy(&four, operand + 4 * group, sizeof four);
    return _mm256_set1_epi32(four);
}

#endif
