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
 * An instruction set's header defines V16 (LANES int16 values), V32 (half as many int32), OPERAND (what a dot
 * product takes beside weights), WIDE, and the functions used here and in wide.h; simd_plain.h is the one to
 * read first.
 */
#include "lstm.h"

#include "wide.h"

#include "activations.h"

#include <string.h>

enum { HALF = 2 * LANES }; /* bytes of a half's group of weights, LANES / 2 * FL_COLUMNS */

/* M(x). No sum overflows: |x| < 2^30 (node.c refuses larger sums), so is |H(x, factor)|, and the nudge is at
 * most 2^30; or x is shifted left, wraps as in the interpreter, and nudge and mask are 0. */
FL_INLINE V32 multiply(V32 x, const struct fl_multiplier *by) {
    V32 high = doubling_high_mul32(shift_left32(x, by->left), by->factor);
    return rounding_shift_right32(high, by->right, by->nudge, by->mask);
}

/* R(a b, n), saturated to int16; n >= 1. |a b| <= 2^30 and the nudge is small: nothing overflows. */
FL_INLINE V16 product16(V16 a, V16 b, int32_t n) {
    V32 low, high;
    multiply16(a, b, &low, &high);
    return join16(rounding_shift_right32(low, n, 1 << (n - 1), -1),
                  rounding_shift_right32(high, n, 1 << (n - 1), -1));
}
FL_INLINE W16 product(W16 a, W16 b, int32_t shift) { EACH_PART(product16(a.part[n], b.part[n], shift)); }

/* M(a b) + c, saturated to int16. */
FL_INLINE V16 scaled_product16(V16 a, V16 b, const struct fl_multiplier *by, int32_t c) {
    V32 low, high;
    multiply16(a, b, &low, &high);
    return join16(add32(multiply(low, by), set32(c)), add32(multiply(high, by), set32(c)));
}
FL_INLINE W16 scaled_product(W16 a, W16 b, const struct fl_multiplier *by, int32_t c) {
    EACH_PART(scaled_product16(a.part[n], b.part[n], by, c));
}

/* sat16(M(W x + b) + part) of all gates and units. A saturating int16 sum would not do: M's 32 bits are
 * added whole. `part` may be null: 0. */
FL_INLINE void project(const struct fl_lstm *lstm,
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

/* Gates, cell and hidden state of one step, WIDE blocks at a time. (The arrays have room for a last block that
 * is none; what is computed there is never read.) */
FL_INLINE void update(struct fl_lstm *lstm) {
    const int16_t *a = lstm->gates;
    const int between = FL_GATES * LANES;
    for (int32_t block = 0; block < lstm->blocks; block += WIDE, a += WIDE * between) {
        W16 i = logistic(w_load(a, between)), f = logistic(w_load(a + LANES, between));
        W16 g = tanh_fixed(w_load(a + 2 * LANES, between), 3);
        int16_t *state_c = lstm->state_c + block * LANES;
        /* Each product fits int16, so that a saturating int16 sum is the saturated sum. */
        W16 c = w_add_saturating(product(f, w_load(state_c, LANES), 15),
                                 product(i, g, 15 + lstm->cell_integer_bits));
        c = w_max(w_min(c, w_set(lstm->cell_max)), w_set(lstm->cell_min));
        /* The output gate waits for nothing: beside tanh(c), the longest chain, it costs little time. */
        W16 o = logistic(w_load(a + 3 * LANES, between));
        W16 h = scaled_product(o, tanh_fixed(c, lstm->cell_integer_bits), &lstm->hidden, lstm->hidden_zero_point);
        FL_UNROLL
        for (int n = 0; n < WIDE; n++) {
            store16(state_c + n * LANES, c.part[n]);
            /* int32 to int16 and then to int8, each saturating, is one saturation. */
            store8(lstm->state_h + (block + n) * LANES, h.part[n]);
        }
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
    for (int32_t n = 0; n < count; n += LANES) {
        W16 x = w_load(a + n, 0); /* the same in all parts */
        store16(result + n, (bits < 0 ? logistic(x) : tanh_fixed(x, bits)).part[0]);
    }
}
/* sat16(M(x)); the lanes of a block in the order of fl_unit_in_block. */
static void scale(const struct fl_multiplier *by, const int32_t *x, int16_t *result, int32_t count) {
    for (int32_t n = 0; n < count; n += LANES)
        store16(result + n, join16(multiply(load32(x + n), by), multiply(load32(x + n + LANES / 2), by)));
}

#define FL_DEFINE_PATH(symbol, text, unsigned_offset, split, operand_size) \
    const struct fl_path symbol = {.name = text, .lanes = LANES, .wide = WIDE, .offset = unsigned_offset, \
                                   .split_pairs = split, .operand_bytes = operand_size, .run = run, \
                                   .activate = activate, .scale = scale}
