/* How the vector code is put together: small functions that have to vanish into the loops that use them. */
#ifndef FL_INLINE_H
#define FL_INLINE_H

#define FL_INLINE static inline __attribute__((always_inline))
#define FL_UNROLL _Pragma("GCC unroll 8")

#endif
