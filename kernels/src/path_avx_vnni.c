/* AVX2 with AVX-VNNI, the dot product of CPUs without AVX-512. */
#include "simd_avx2.h"

/* vpdpbusd sums four unsigned times signed products in 32 bits, without saturation. x + 128 is unsigned;
 * the 128 sum(w) too much is taken off the bias (pack.c), exact modulo 2^32. */
typedef __m256i OPERAND;

FL_INLINE OPERAND load_operand(const int8_t *operand, int32_t group) {
    return _mm256_xor_si256(load_group(operand, group), _mm256_set1_epi8(-128));
}
FL_INLINE V32 add_dot(V32 sum, OPERAND x, const int8_t *weights) {
    return _mm256_dpbusd_avx_epi32(sum, x, _mm256_load_si256((const __m256i *)weights));
}

#include "step.h"

FL_DEFINE_PATH(fl_path_avx_vnni, "avx-vnni", 128, 0, 4);
