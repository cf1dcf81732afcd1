/* One fused int8 LSTM, its integers packed for one instruction set, and what the instruction sets offer. */
#ifndef FL_LSTM_H
#define FL_LSTM_H

#include <stddef.h>
#include <stdint.h>

enum { FL_GATES = 4 };  /* input, forget, cell candidate (tanh), output: the op's order */
enum { FL_COLUMNS = 4 }; /* of a weight matrix, multiplied by one dot instruction */
enum { FL_CHUNK = 16 }; /* steps whose input part is computed at a time, so that it stays in the L1 cache */

/* A real factor d > 0 as M(x) takes it: R(H(x << left), right); see docs/integer-lstm.md. One of left and
 * right is 0. The last two make R a sum and a shift: R(y, n) = (y + 2^(n-1) - (y < 0)) >> n for n > 0, and y
 * for n = 0. (A shift by 0 that adds anything is the bug that no converter-made model shows.) */
struct fl_multiplier {
    int32_t factor; /* [2^30, 2^31), or 0 */
    int32_t left, right;
    int32_t nudge; /* 2^(right - 1), or 0 */
    int32_t mask;  /* -1, or 0 if right is 0 */
};

/* One of the two matrix products behind the gate inputs, a = M(W x + b).
 *
 * A block is as many units as an int16 vector has lanes. Its int32 sums are two vectors a gate, "halves";
 * which unit stands where is fl_unit_in_block's. One block's weights lie in the order in which they are used. */
struct fl_product {
    int32_t groups;                      /* of FL_COLUMNS columns; the last one filled up with zeros */
    int8_t *weights;                     /* [block, group, gate, half, lanes / 2, FL_COLUMNS] */
    int32_t *bias;                       /* [block, gate, half, lanes / 2], zero points folded in */
    struct fl_multiplier scale[FL_GATES]; /* to Q3.12 */
};

struct fl_path;

struct fl_lstm {
    const struct fl_path *path;
    int32_t units, features, blocks;
    struct fl_product from_input, from_hidden;
    int32_t cell_integer_bits;    /* of the cell: scale 2^(cell_integer_bits - 15), 0 to 6 */
    int32_t cell_min, cell_max;   /* the clip, or int16 */
    struct fl_multiplier hidden;  /* of o tanh(c), Q0.30 */
    int32_t hidden_zero_point;
    /* The state while it runs, filled up to whole blocks, and scratch. Of state and gates there is room for
     * more blocks, up to a multiple of the path's `wide`. */
    int8_t *state_h;   /* [blocks * lanes] */
    int16_t *state_c;  /* [blocks * lanes] */
    int8_t *operand;   /* a row of x or h as the path's dot product takes it */
    int16_t *parts;    /* [FL_CHUNK, blocks, gate, lanes]: M(W x + b), Q3.12 */
    int16_t *gates;    /* [blocks, gate, lanes]: gate inputs of a step, Q3.12 */
    size_t bytes;      /* of the one allocation that starts with this structure and holds all of the above */
};

/* An instruction set's way to run it. */
struct fl_path {
    const char *name;
    int32_t lanes;       /* int16 values in a vector */
    int32_t wide;        /* blocks whose gates are computed at once, see wide.h */
    int32_t offset;      /* added to an int8 operand to make it the unsigned one that the dot product takes */
    int32_t split_pairs; /* byte order in a group, see fl_weight_place */
    int32_t operand_bytes; /* that a group's FL_COLUMNS values take in `operand` */
    /* Run `steps` steps from and to the state in lstm. Strides in bytes between two steps. */
    void (*run)(struct fl_lstm *lstm, const int8_t *x, ptrdiff_t x_stride, int8_t *y, ptrdiff_t y_stride,
                int32_t steps);
    /* Parts of it, for tests: see step.h. */
    void (*activate)(int32_t bits, const int16_t *a, int16_t *result, int32_t count);
    void (*scale)(const struct fl_multiplier *by, const int32_t *x, int16_t *result, int32_t count);
};

/* The paths that are built in, best first, ended by NULL, and whether this CPU can run one. */
extern const struct fl_path *const fl_paths[];
int fl_path_runs_here(const struct fl_path *path);
/* The best one that runs here; or the one of that name, NULL if there is none or it does not run here. */
const struct fl_path *fl_choose_path(const char *name);

/* Unit of a block that stands in a lane of a half. Halves are joined to an int16 vector by the pack
 * instructions of x86, which take four values of each in turn: numbering the units after them makes the
 * joined vector come out in order. With vectors of 8 (Arm) it is simply the first four and the last four. */
static inline int32_t fl_unit_in_block(int32_t half, int32_t lane) {
    return 8 * (lane / 4) + 4 * half + lane % 4;
}

/* Byte of a weight in a half's vector of a group. Dot products sum the four bytes of a 32-bit lane; the
 * widening multiplications of NEON sum two neighbours, and take the columns 0, 1 of all lanes, then 2, 3. */
static inline int32_t fl_weight_place(const struct fl_path *path, int32_t lane, int32_t column) {
    return path->split_pairs ? 2 * lane + column % 2 + 8 * (column / 2) : FL_COLUMNS * lane + column;
}

#endif
