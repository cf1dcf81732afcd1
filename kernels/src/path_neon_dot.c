/* NEON with the dot-product instructions (Armv8.2 asimddp): Cortex-A55, A75, A76 and later. */
#include "simd_neon.h"

typedef int8x16_t OPERAND;

FL_INLINE void store_operand(int8_t *to, const int8_t *from, int32_t count) { memcpy(to, from, (size_t)count); }
FL_INLINE OPERAND load_operand(const int8_t *operand, int32_t group) {
    int32_t four;
    memcpy(&four, operand + 4 * group, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}
FL_INLINE V32 add_dot(V32 sum, OPERAND x, const int8_t *weights) {
    return vdotq_s32(sum, vld1q_s8(weights), x);
}

#include "step.h"

FL_DEFINE_PATH(fl_path_neon_dot, "neon-dotprod", 0, 0, 4);
