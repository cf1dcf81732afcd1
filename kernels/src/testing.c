/* Doors for tests, which go through all inputs of what is inside the op; no program needs them. */
#include "fixed_point.h"

#define FL_EXPORT __attribute__((visibility("default")))

FL_EXPORT int fuselage_kernels_test_activate(const char *path, int32_t bits, const int16_t *a, int16_t *result,
                                             int32_t count);
FL_EXPORT int fuselage_kernels_test_scale(const char *path, double real, const int32_t *x, int16_t *result,
                                          int32_t count);

enum { MOST_LANES = 32 };

/* result[n] = tanh of a[n] in Q(bits), or logistic where bits < 0. Any count; 0 if the path does not run here. */
int fuselage_kernels_test_activate(const char *path, int32_t bits, const int16_t *a, int16_t *result, int32_t count) {
    const struct fl_path *chosen = fl_choose_path(path);
    if (!chosen) return 0;
    for (int32_t n = 0; n < count; n += chosen->lanes) {
        _Alignas(64) int16_t in[MOST_LANES] = {0}, out[MOST_LANES];
        const int32_t left = count - n < chosen->lanes ? count - n : chosen->lanes;
        memcpy(in, a + n, (size_t)left * sizeof *in);
        chosen->activate(bits, in, out, chosen->lanes);
        memcpy(result + n, out, (size_t)left * sizeof *out);
    }
    return 1;
}

/* result[n] = sat16(M(x[n])) with M for `real`. */
int fuselage_kernels_test_scale(const char *path, double real, const int32_t *x, int16_t *result, int32_t count) {
    const struct fl_path *chosen = fl_choose_path(path);
    if (!chosen) return 0;
    const struct fl_multiplier by = fl_quantize_multiplier(real);
    for (int32_t n = 0; n < count; n += chosen->lanes) {
        _Alignas(64) int32_t in[MOST_LANES] = {0};
        _Alignas(64) int16_t out[MOST_LANES];
        const int32_t half_lanes = chosen->lanes / 2;
        for (int32_t half = 0; half < 2; half++)
            for (int32_t lane = 0; lane < half_lanes; lane++) {
                const int32_t from = n + fl_unit_in_block(half, lane);
                in[half * half_lanes + lane] = from < count ? x[from] : 0;
            }
        chosen->scale(&by, in, out, chosen->lanes);
        for (int32_t lane = 0; lane < chosen->lanes && n + lane < count; lane++) result[n + lane] = out[lane];
    }
    return 1;
}
