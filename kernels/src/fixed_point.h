/* Factors between scales as the interpreter makes them, without the C library. */
#ifndef FL_FIXED_POINT_H
#define FL_FIXED_POINT_H

#include "lstm.h"

#include <string.h>

/* The largest factor: a left shift of an int32 by more than 30 says nothing. */
#define FL_LARGEST_FACTOR 0x1p30

/* QuantizeMultiplier of 0 < real < 2^30: real = factor 2^(left - right - 31), the factor rounded, halves up.
 *
 * A double is fraction 2^exponent with 1/2 <= fraction < 1; fraction 2^31 rounded is the upper 31 of its 53
 * bits, plus the next one. */
static inline struct fl_multiplier fl_quantize_multiplier(double real) {
    struct fl_multiplier result = {0};
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    int32_t shift = (int32_t)(bits >> 52 & 0x7FF) - 1022;
    const uint64_t fraction = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52; /* times 2^-53 */
    int64_t factor = (int64_t)((fraction + (UINT64_C(1) << 21)) >> 22);
    if (factor == INT64_C(1) << 31) factor /= 2, shift++;
    if (shift < -31) return result; /* the factor 0, as in the interpreter; also what a subnormal real gives */
    result.factor = (int32_t)factor;
    result.left = shift > 0 ? shift : 0;
    result.right = shift < 0 ? -shift : 0;
    result.nudge = result.right ? 1 << (result.right - 1) : 0;
    result.mask = result.right ? -1 : 0;
    return result;
}

/* log2 of a float that is a power of two, -1000 for any other. */
static inline int32_t fl_exact_log2(float real) {
    uint32_t bits;
    memcpy(&bits, &real, sizeof bits);
    const int32_t exponent = (int32_t)(bits >> 23 & 0xFF);
    const int normal_power = !(bits & 0x807FFFFF) && exponent > 0 && exponent < 0xFF;
    return normal_power ? exponent - 127 : -1000;
}

#endif
