#include "pack.h"

#include "platform.h"

/* Pieces of one allocation, each aligned to 64 bytes. The first pass only adds up, `base` is NULL. */
struct pieces {
    char *base;
    size_t used;
};

static void *piece(struct pieces *pieces, size_t bytes) {
    void *start = pieces->base ? pieces->base + pieces->used : NULL;
    pieces->used += (bytes + 63) / 64 * 64;
    return start;
}

static void lay_out(struct pieces *pieces, const struct fl_node *node, const struct fl_path *path,
                    struct fl_lstm *lstm) {
    piece(pieces, sizeof *lstm);
    const size_t blocks = ((size_t)node->units + path->lanes - 1) / path->lanes;
    const size_t row = blocks * path->lanes * FL_GATES; /* all gate inputs of a step */
    const int32_t columns[2] = {node->features, node->units};
    struct fl_product *products[2] = {&lstm->from_input, &lstm->from_hidden};
    int32_t most = 0;
    for (int n = 0; n < 2; n++) {
        const int32_t groups = (columns[n] + FL_COLUMNS - 1) / FL_COLUMNS;
        products[n]->groups = groups;
        products[n]->weights = piece(pieces, row * groups * FL_COLUMNS);
        products[n]->bias = piece(pieces, row * sizeof(int32_t));
        most = groups > most ? groups : most;
    }
    lstm->blocks = (int32_t)blocks;
    const size_t lanes = (blocks + path->wide - 1) / path->wide * path->wide * path->lanes;
    lstm->state_h = piece(pieces, lanes);
    lstm->state_c = piece(pieces, lanes * sizeof(int16_t));
    lstm->operand = piece(pieces, (size_t)most * path->operand_bytes);
    lstm->parts = piece(pieces, FL_CHUNK * row * sizeof(int16_t));
    lstm->gates = piece(pieces, lanes * FL_GATES * sizeof(int16_t));
}

/* Weights and biases of one matrix. W (x - z) + b = W x + (b - z sum(W)); a path that adds an offset to x
 * takes it off again the same way. Sums wrap as int32 do. */
static void pack_product(struct fl_product *product, const struct fl_path *path, const int8_t *const *weights,
                         const int32_t *const *bias, int32_t zero_point, int32_t units, int32_t columns) {
    const int32_t half_lanes = path->lanes / 2;
    for (int32_t gate = 0; gate < FL_GATES; gate++)
        for (int32_t half = 0; half < 2; half++)
            for (int32_t lane = 0; lane < half_lanes; lane++)
                for (int32_t unit = fl_unit_in_block(half, lane), block = 0; unit < units;
                     unit += path->lanes, block++) {
                    const int8_t *row = weights[gate] + (size_t)unit * columns;
                    const size_t vector = ((size_t)block * product->groups * FL_GATES + gate) * 2 + half;
                    uint32_t sum = 0;
                    for (int32_t column = 0; column < columns; column++) {
                        const size_t group = column / FL_COLUMNS;
                        product->weights[(vector + group * 2 * FL_GATES) * half_lanes * FL_COLUMNS +
                                         fl_weight_place(path, lane, column % FL_COLUMNS)] = row[column];
                        sum += (uint32_t)row[column];
                    }
                    const uint32_t own = bias ? (uint32_t)bias[gate][unit] : 0;
                    product->bias[(((size_t)block * FL_GATES + gate) * 2 + half) * half_lanes + lane] =
                        (int32_t)(own - ((uint32_t)zero_point + (uint32_t)path->offset) * sum);
                }
}

struct fl_lstm *fl_pack(const struct fl_node *node, const struct fl_path *path) {
    struct pieces pieces = {NULL, 0};
    struct fl_lstm sizes;
    lay_out(&pieces, node, path, &sizes);
    const size_t bytes = pieces.used;
    struct fl_lstm *lstm = fl_allocate(bytes);
    if (!lstm) return NULL;
    pieces = (struct pieces){(char *)lstm, 0};
    lay_out(&pieces, node, path, lstm);
    lstm->bytes = bytes;
    lstm->path = path, lstm->units = node->units, lstm->features = node->features;
    lstm->cell_integer_bits = node->cell_integer_bits;
    lstm->cell_min = node->cell_clip > 0 ? -node->cell_clip : -32768;
    lstm->cell_max = node->cell_clip > 0 ? node->cell_clip : 32767;
    lstm->hidden = node->hidden_scale, lstm->hidden_zero_point = node->hidden_zero_point;
    for (int gate = 0; gate < FL_GATES; gate++) {
        lstm->from_input.scale[gate] = node->input_scale[gate];
        lstm->from_hidden.scale[gate] = node->recurrent_scale[gate];
    }
    pack_product(&lstm->from_input, path, node->input_weights, node->bias, node->input_zero_point, node->units,
                 node->features);
    pack_product(&lstm->from_hidden, path, node->recurrent_weights, NULL, node->state_zero_point, node->units,
                 node->units);
    return lstm;
}
