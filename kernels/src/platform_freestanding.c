/* The system without a C library: calls of the Linux kernel, on aarch64. For Android, where the library then
 * needs none of the phone's: no needed libraries, no undefined symbols. */
#include "platform.h"

#include <stdint.h>

#if !defined(__aarch64__) || !defined(__linux__)
#error "The freestanding build is for aarch64 Linux and Android."
#endif

enum { OPENAT = 56, CLOSE = 57, READ = 63, MUNMAP = 215, MMAP = 222 };
enum { CURRENT_FOLDER = -100, CLOSE_ON_EXEC = 02000000 };
enum { READ_WRITE = 3, PRIVATE_ANONYMOUS = 0x22 };

static long call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0; /* errors are -4095 to -1 */
}

void *fl_allocate(size_t bytes) {
    const long memory = call(MMAP, 0, (long)bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
    return memory < 0 && memory >= -4095 ? NULL : (void *)memory;
}

void fl_release(void *memory, size_t bytes) { call(MUNMAP, (long)memory, (long)bytes, 0, 0, 0, 0); }

/* The interpreter frees with its C library, which is not ours to allocate from: without it an output cannot be
 * resized. (Models on a phone have fixed shapes.) */
void *fl_allocate_for_interpreter(size_t bytes) {
    (void)bytes;
    return NULL;
}

/* /proc/self/auxv holds pairs of a type and a value. */
unsigned long fl_auxiliary(unsigned long type) {
    unsigned long pair[2], found = 0;
    const long file = call(OPENAT, CURRENT_FOLDER, (long)"/proc/self/auxv", CLOSE_ON_EXEC, 0, 0, 0);
    if (file < 0) return 0;
    while (!found && call(READ, file, (long)pair, sizeof pair, 0, 0, 0) == sizeof pair && pair[0] != 0)
        if (pair[0] == type) found = pair[1];
    call(CLOSE, file, 0, 0, 0, 0, 0);
    return found;
}

/* What compilers call by themselves, and <string.h> declares. Byte by byte: nothing large is copied. */
__attribute__((visibility("hidden"))) void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    for (size_t n = 0; n < bytes; n++) ((char *)to)[n] = ((const char *)from)[n];
    return to;
}
__attribute__((visibility("hidden"))) void *memset(void *to, int value, size_t bytes) {
    for (size_t n = 0; n < bytes; n++) ((char *)to)[n] = (char)value;
    return to;
}
__attribute__((visibility("hidden"))) int strcmp(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}
