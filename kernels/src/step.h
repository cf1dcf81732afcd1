/* The integer rules of the op, once, on the vectors that the including file has defined:
 *
 *   a = sat16(M_x(W x + bx))                      input part of the gate inputs: int16, Q3.12
 *   a = sat16(M_h(R h + bh) + a)                  gate inputs: int16, Q3.12
 *   i, f, o = logistic(a),   g = tanh(a)          gates: int16, Q0.15
 *   c = clip(sat16(R(f c, 15) + R(i g, 30 + e)))  cell: int16, scale 2^e
 *   h = sat8(M_o(o tanh(c)) + zero point)         int8
 *
 * docs/integer-lstm.md has them in full, converters/integer_lstm.py computes them in NumPy. The input part of
 * many steps is computed first, in one go: it does not wait for anything.
 *
 * An instruction set's header defines V16 (LANES int16 values), V32 (half as many int32) and OPERAND (what a
 * dot product takes beside weights), and the functions used here and in activations.h; simd_plain.h is the
 * one to read first.
 */
#include "lstm.h"

#include <string.h>

#define FL_UNROLL _Pragma("GCC unroll 8")

#include "activations.h"

enum { HALF = 2 * LANES }; /* bytes of a half's group of weights, LANES / 2 * FL_COLUMNS */

/* M(x). No sum overflows: |x| < 2^30 (node.c refuses larger sums), so is |H(x, factor)|, and the nudge is at
 * most 2^30; or x is shifted left, wraps as in the interpreter, and nudge and mask are 0. */
static inline V32 multiply(V32 x, const struct fl_multiplier *by) {
    V32 high = doubling_high_mul32(shift_left32(x, by->left), by->factor);
    return rounding_shift_right32(high, by->right, by->nudge, by->mask);
}

/* R(a b, n), saturated to int16; n >= 1. |a b| <= 2^30 and the nudge is small: nothing overflows. */
static inline V16 product(V16 a, V16 b, int32_t n) {
    V32 low, high;
    multiply16(a, b, &low, &high);
    return join16(rounding_shift_right32(low, n, 1 << (n - 1), -1),
                  rounding_shift_right32(high, n, 1 << (n - 1), -1));
}

/* sat16(M(W x + b) + part) of all gates and units. A saturating int16 sum would not do: M's 32 bits are
 * added whole. `part` may be null: 0. */
static inline __attribute__((always_inline)) void project(const struct fl_lstm *lstm,
                                                          const struct fl_product *of, const int8_t *operand,
                                                          const int16_t *part, int16_t *out) {
    const int8_t *weights = of->weights;
    const int32_t *bias = of->bias;
    for (int32_t block = 0; block < lstm->blocks; block++) {
        V32 sum[2 * FL_GATES];
        FL_UNROLL
        for (int half = 0; half < 2 * FL_GATES; half++, bias += LANES / 2) sum[half] = load32(bias);
        for (int32_t group = 0; group < of->groups; group++) {
            OPERAND x = load_operand(operand, group);
            FL_UNROLL
            for (int half = 0; half < 2 * FL_GATES; half++, weights += HALF)
                sum[half] = add_dot(sum[half], x, weights);
        }
        FL_UNROLL
        for (int gate = 0; gate < FL_GATES; gate++, out += LANES) {
            V32 low = multiply(sum[2 * gate], &of->scale[gate]);
            V32 high = multiply(sum[2 * gate + 1], &of->scale[gate]);
            if (part) {
                V16 more = load16(part);
                low = add32(low, widen_low16(more)), high = add32(high, widen_high16(more));
                part += LANES;
            }
            store16(out, join16(low, high));
        }
    }
}

/* Gates, cell and hidden state of one step. */
static inline void update(struct fl_lstm *lstm) {
    const int16_t *a = lstm->gates;
    for (int32_t block = 0; block < lstm->blocks; block++, a += FL_GATES * LANES) {
        V16 i = logistic(load16(a)), f = logistic(load16(a + LANES));
        V16 g = tanh_fixed(load16(a + 2 * LANES), 3);
        int16_t *state_c = lstm->state_c + block * LANES;
        /* Each product fits int16, so that a saturating int16 sum is the saturated sum. */
        V16 c = add_saturating16(product(f, load16(state_c), 15),
                                 product(i, g, 15 + lstm->cell_integer_bits));
        c = max16(min16(c, set16(lstm->cell_max)), set16(lstm->cell_min));
        store16(state_c, c);
        /* The output gate waits for nothing: beside tanh(c), the longest chain, it costs little time. */
        V16 o = logistic(load16(a + 3 * LANES));
        V32 low, high;
        multiply16(o, tanh_fixed(c, lstm->cell_integer_bits), &low, &high);
        V32 zero_point = set32(lstm->hidden_zero_point);
        low = add32(multiply(low, &lstm->hidden), zero_point);
        high = add32(multiply(high, &lstm->hidden), zero_point);
        /* int32 to int16 to int8, saturating twice, is saturating once. */
        store8(lstm->state_h + block * LANES, join16(low, high));
    }
}

static void run(struct fl_lstm *lstm, const int8_t *x, ptrdiff_t x_stride, int8_t *y, ptrdiff_t y_stride,
                int32_t steps) {
    const size_t row = (size_t)lstm->blocks * FL_GATES * LANES;
    for (int32_t start = 0; start < steps; start += FL_CHUNK) {
        const int32_t count = steps - start < FL_CHUNK ? steps - start : FL_CHUNK;
        for (int32_t t = 0; t < count; t++, x += x_stride) {
            store_operand(lstm->operand, x, lstm->features);
            project(lstm, &lstm->from_input, lstm->operand, NULL, lstm->parts + t * row);
        }
        for (int32_t t = 0; t < count; t++, y += y_stride) {
            store_operand(lstm->operand, lstm->state_h, lstm->units);
            project(lstm, &lstm->from_hidden, lstm->operand, lstm->parts + t * row, lstm->gates);
            update(lstm);
            memcpy(y, lstm->state_h, (size_t)lstm->units);
        }
    }
}

/* The two kinds of functions inside, alone, for tests that go through all their inputs. Counts are whole
 * numbers of vectors, arrays aligned. bits < 0: logistic of Q3.12, else tanh of Q(bits). */
static void activate(int32_t bits, const int16_t *a, int16_t *result, int32_t count) {
    for (int32_t n = 0; n < count; n += LANES)
        store16(result + n, bits < 0 ? logistic(load16(a + n)) : tanh_fixed(load16(a + n), bits));
}
/* sat16(M(x)); the lanes of a block in the order of fl_unit_in_block. */
static void scale(const struct fl_multiplier *by, const int32_t *x, int16_t *result, int32_t count) {
    for (int32_t n = 0; n < count; n += LANES)
        store16(result + n, join16(multiply(load32(x + n), by), multiply(load32(x + n + LANES / 2), by)));
}

#define FL_DEFINE_PATH(symbol, text, unsigned_offset, split, operand_size) \
    const struct fl_path symbol = {.name = text, .lanes = LANES, .offset = unsigned_offset, \
                                   .split_pairs = split, .operand_bytes = operand_size, .run = run, \
                                   .activate = activate, .scale = scale}
