/* NEON without the dot-product instructions: Cortex-A53, A57, A72, A73. */
#include "simd_neon.h"

/* smull and smlal2 multiply 8 bytes each into int16, and sadalp adds neighbours to the 32-bit sums. A group's
 * weights are [4 units, columns 0, 1] and then [4 units, columns 2, 3], so an operand is x0 x1 four times and
 * x2 x3 four times. The int16 sum of two products is exact: 2 * 128 * 127 = 32,512 < 2^15 (node.c). */
typedef int8x16_t OPERAND;

FL_INLINE void store_operand(int8_t *to, const int8_t *from, int32_t count) {
    for (int32_t n = 0; n < count; n += 4, to += 16) {
        int8_t four[4] = {0};
        memcpy(four, from + n, (size_t)(count - n < 4 ? count - n : 4));
        int16_t pairs[2];
        memcpy(pairs, four, sizeof pairs);
        vst1q_s16((int16_t *)to, vcombine_s16(vdup_n_s16(pairs[0]), vdup_n_s16(pairs[1])));
    }
}
FL_INLINE OPERAND load_operand(const int8_t *operand, int32_t group) { return vld1q_s8(operand + 16 * group); }
FL_INLINE V32 add_dot(V32 sum, OPERAND x, const int8_t *weights) {
    int8x16_t w = vld1q_s8(weights);
    int16x8_t pairs = vmlal_high_s8(vmull_s8(vget_low_s8(w), vget_low_s8(x)), w, x);
    return vpadalq_s16(sum, pairs);
}

#include "step.h"

FL_DEFINE_PATH(fl_path_neon, "neon", 0, 1, 16);
