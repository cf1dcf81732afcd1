/* AVX2, without VNNI. */
#include "simd_avx2.h"

/* vpmaddubsw takes unsigned times signed bytes and saturates sums of two to int16. x w = |x| (sign(x) w):
 * |x| <= 128 fits unsigned, -w fits as |w| <= 127 (node.c), and 2 * 128 * 127 = 32,512 < 2^15: exact. */
typedef struct { __m256i size, sign; } OPERAND;

FL_INLINE OPERAND load_operand(const int8_t *operand, int32_t group) {
    __m256i x = load_group(operand, group);
    return (OPERAND){_mm256_abs_epi8(x), x};
}
FL_INLINE V32 add_dot(V32 sum, OPERAND x, const int8_t *weights) {
    __m256i w = _mm256_sign_epi8(_mm256_load_si256((const __m256i *)weights), x.sign);
    __m256i pairs = _mm256_maddubs_epi16(x.size, w);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "step.h"

FL_DEFINE_PATH(fl_path_avx2, "avx2", 0, 0, 4);
