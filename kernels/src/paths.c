/* Which paths there are, best first, and which of them this CPU can run. */
#include "lstm.h"
#include "platform.h"

extern const struct fl_path fl_path_plain;
#if defined(__x86_64__)
extern const struct fl_path fl_path_avx512, fl_path_avx_vnni, fl_path_avx2;
const struct fl_path *const fl_paths[] = {&fl_path_avx512, &fl_path_avx_vnni, &fl_path_avx2, &fl_path_plain, NULL};
#elif defined(__aarch64__)
extern const struct fl_path fl_path_neon_dot, fl_path_neon;
const struct fl_path *const fl_paths[] = {&fl_path_neon_dot, &fl_path_neon, &fl_path_plain, NULL};
#else
const struct fl_path *const fl_paths[] = {&fl_path_plain, NULL};
#endif

int fl_path_runs_here(const struct fl_path *path) {
#if defined(__x86_64__) /* the compiler's check asks the operating system as well, which has to save the registers */
    __builtin_cpu_init();
    if (path == &fl_path_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    if (path == &fl_path_avx_vnni) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avxvnni");
    if (path == &fl_path_avx2) return __builtin_cpu_supports("avx2");
#elif defined(__aarch64__) /* NEON is part of every aarch64 */
    enum { HARDWARE_CAPABILITIES = 16, DOT_PRODUCT = 1 << 20 }; /* AT_HWCAP, HWCAP_ASIMDDP */
    if (path == &fl_path_neon_dot) return (fl_auxiliary(HARDWARE_CAPABILITIES) & DOT_PRODUCT) != 0;
#endif
    return path != NULL;
}

static int same_text(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

const struct fl_path *fl_choose_path(const char *name) {
    for (const struct fl_path *const *path = fl_paths; *path; path++)
        if ((!name || same_text(name, (*path)->name)) && fl_path_runs_here(*path)) return *path;
    return NULL;
}
