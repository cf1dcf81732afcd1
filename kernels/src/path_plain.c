/* Plain C, for every CPU. */
#include "simd_plain.h"
#include "step.h"

FL_DEFINE_PATH(fl_path_plain, "plain", 0, 0, 4);
