/* AVX-512 with VNNI. */
#include "simd_avx512.h"
#include "step.h"

FL_DEFINE_PATH(fl_path_avx512, "avx512-vnni", 128, 0, 4);
