/* What the library needs from the system. platform_hosted.c takes it from the C library,
 * platform_freestanding.c from the kernel alone. */
#ifndef FL_PLATFORM_H
#define FL_PLATFORM_H

#include <stddef.h>

/* Zeroed memory, aligned to 64 bytes; NULL if there is none. */
void *fl_allocate(size_t bytes);
void fl_release(void *memory, size_t bytes);

/* Memory that the interpreter will free(), NULL if there is none, as in a build without a C library. */
void *fl_allocate_for_interpreter(size_t bytes);

/* Value of an entry of the auxiliary vector (AT_HWCAP), 0 if unknown. Only asked on Arm. */
unsigned long fl_auxiliary(unsigned long type);

#endif
