# Cross-compiling with Debian's gcc-aarch64-linux-gnu: cmake --toolchain kernels/aarch64.cmake
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
