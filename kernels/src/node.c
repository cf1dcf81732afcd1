/* Reads a node and refuses, with a reason, what is not exactly the op that is computed here: int8 activations
 * with an int16 cell, as every int8 LSTM from Keras is. Nothing is taken for granted: files are damaged, and
 * a graph can be anything. */
#include "node.h"

enum { /* places among the op's inputs; gates in the order of FL_GATES */
    INPUT = 0,
    INPUT_WEIGHTS = 1,
    RECURRENT_WEIGHTS = 5,
    PEEPHOLES = 9, /* three */
    BIASES = 12,
    PROJECTION = 16, /* weights and bias */
    STATE_H = 18,
    STATE_C = 19,
    LAYER_NORM = 20, /* four, absent in old files */
    INPUTS = 24,
    HIDDEN = 4, /* intermediate whose scale h is written in */
    INTERMEDIATES = 5,
    LARGEST_SIZE = 1 << 14, /* of units and features: products of two sizes stay far inside int32 */
};

struct tf_tensor *fl_tensor(const struct tf_context *context, int32_t index) {
    if (index < 0 || (size_t)index >= context->tensors_size || !context->tensors) return NULL;
    return &context->tensors[index];
}

int32_t fl_rank(const struct tf_tensor *tensor) { return tensor->dims ? tensor->dims->size : -1; }

static struct tf_tensor *at(const struct tf_context *context, const struct tf_ints *list, int32_t place) {
    return list && place < list->size ? fl_tensor(context, list->data[place]) : NULL;
}

static int has_shape(const struct tf_tensor *tensor, int32_t rows, int32_t columns) { /* columns 0: a vector */
    const int32_t rank = columns ? 2 : 1;
    return fl_rank(tensor) == rank && tensor->dims->data[0] == rows && (!columns || tensor->dims->data[1] == columns);
}

/* A constant of the file: there, of this type and shape, with as many bytes as that takes. */
static int is_constant(const struct tf_tensor *tensor, int32_t type, int32_t rows, int32_t columns) {
    const size_t bytes = (size_t)rows * (size_t)(columns ? columns : 1) * (type == TF_INT32 ? 4 : 1);
    return tensor && tensor->type == type && tensor->allocation_type == TF_READ_ONLY && tensor->data &&
           (uintptr_t)tensor->data % (type == TF_INT32 ? 4 : 1) == 0 &&
           has_shape(tensor, rows, columns) && tensor->bytes == bytes;
}

static int has_scale(const struct tf_tensor *tensor) { /* also false for NaN */
    return tensor->scale > 0 && tensor->scale <= 0x1.fffffep127f && tensor->zero_point >= -128 &&
           tensor->zero_point <= 127;
}

/* Weights of one gate in [-127, 127]. At -128 the dot products of AVX2 and NEON overflow; the converter
 * writes none. */
static int has_symmetric_range(const int8_t *weights, int32_t count) {
    int8_t least = 0;
    for (int32_t n = 0; n < count; n++) least = weights[n] < least ? weights[n] : least;
    return least >= -127;
}

/* The sums fit: |W x + b| < 2^30, so that nothing overflows while they are scaled (step.h, multiply). */
static int sums_fit(const int8_t *weights, const int32_t *bias, int32_t zero_point, int32_t rows, int32_t columns) {
    for (int32_t row = 0; row < rows; row++, weights += columns) {
        int64_t size = 0, sum = 0;
        for (int32_t n = 0; n < columns; n++) {
            size += weights[n] < 0 ? -weights[n] : weights[n];
            sum += weights[n];
        }
        const int64_t folded = (bias ? bias[row] : 0) - zero_point * sum;
        if ((folded < 0 ? -folded : folded) + 128 * size >= INT64_C(1) << 30) return 0;
    }
    return 1;
}

/* The factor s_W s_x / 2^-12 in float32, as the interpreter computes it. */
static const char *read_scale(const struct tf_tensor *weights, const struct tf_tensor *operand,
                              struct fl_multiplier *scale) {
    if (!has_scale(weights) || weights->zero_point) return "weights without one symmetric scale";
    const float factor = weights->scale * operand->scale;
    const double real = (double)factor * 0x1p12;
    if (!(real > 0 && real < FL_LARGEST_FACTOR)) return "scales whose product is out of range";
    *scale = fl_quantize_multiplier(real);
    return NULL;
}

static const char *read_gate(const struct tf_context *context, const struct tf_ints *inputs, int32_t gate,
                             struct fl_node *out) {
    const struct tf_tensor *weights = at(context, inputs, INPUT_WEIGHTS + gate);
    const struct tf_tensor *recurrent = at(context, inputs, RECURRENT_WEIGHTS + gate);
    const struct tf_tensor *bias = at(context, inputs, BIASES + gate);
    if (!weights || !recurrent || !bias) return "a gate without its weights or bias";
    if (weights->type != TF_INT8 || recurrent->type != TF_INT8) return "weights that are not int8";
    if (!is_constant(weights, TF_INT8, out->units, out->features) ||
        !is_constant(recurrent, TF_INT8, out->units, out->units) || !is_constant(bias, TF_INT32, out->units, 0))
        return "weights or a bias of an unexpected type or shape, or not in the file";
    const char *reason = read_scale(weights, at(context, inputs, INPUT), &out->input_scale[gate]);
    if (!reason) reason = read_scale(recurrent, at(context, inputs, STATE_H), &out->recurrent_scale[gate]);
    if (reason) return reason;
    out->input_weights[gate] = weights->data;
    out->recurrent_weights[gate] = recurrent->data;
    out->bias[gate] = bias->data;
    if (!has_symmetric_range(weights->data, out->units * out->features) ||
        !has_symmetric_range(recurrent->data, out->units * out->units))
        return "a weight of -128";
    if (!sums_fit(weights->data, bias->data, out->input_zero_point, out->units, out->features) ||
        !sums_fit(recurrent->data, NULL, out->state_zero_point, out->units, out->units))
        return "a bias so large that the sums leave 31 bits";
    return NULL;
}

static const char *read_options(const struct tf_lstm_options *options, float cell_scale, struct fl_node *out) {
    if (!options) return "no options";
    if (options->activation != TF_ACTIVATION_TANH) return "an activation that is not tanh";
    if (!(options->cell_clip >= 0)) return "a negative cell clip";
    const float clip = options->cell_clip / cell_scale;
    out->cell_clip = clip < 32767 ? (int32_t)clip : 32767;
    out->time_major = options->time_major != 0;
    return NULL;
}

const char *fl_read_node(const struct tf_context *context, const struct tf_node *node, struct fl_node *out) {
    const struct tf_ints *inputs = node->inputs, *outputs = node->outputs;
    if (!inputs || (inputs->size != INPUTS && inputs->size != LAYER_NORM)) return "another number of inputs";
    for (int32_t place = 0; place < inputs->size; place++) {
        const int extra = (place >= PEEPHOLES && place < BIASES) || (place >= PROJECTION && place < STATE_H) ||
                          place >= LAYER_NORM;
        if (extra && inputs->data[place] != TF_ABSENT) return "peepholes, a projection or layer normalization";
    }
    const struct tf_tensor *input = at(context, inputs, INPUT), *output = at(context, outputs, 0);
    const struct tf_tensor *state_h = at(context, inputs, STATE_H), *state_c = at(context, inputs, STATE_C);
    const struct tf_tensor *hidden = at(context, node->intermediates, HIDDEN);
    const struct tf_tensor *first = at(context, inputs, INPUT_WEIGHTS + FL_GATES - 1);
    if (!input || !output || !state_h || !state_c || !first) return "a tensor that is missing";
    if (input->type == TF_FLOAT32) return "float32";
    if (input->type != TF_INT8 || output->type != TF_INT8 || state_h->type != TF_INT8 || state_c->type != TF_INT16)
        return "not int8 with an int16 cell";
    if (!hidden || node->intermediates->size != INTERMEDIATES) return "not the intermediates of the 8x8_16 kernel";
    if (!state_h->is_variable || !state_c->is_variable) return "a state that is no variable";
    if (fl_rank(input) != 3 || fl_rank(output) != 3 || fl_rank(first) != 2) return "tensors of another rank";
    if (!has_scale(input) || !has_scale(state_h) || !has_scale(hidden) || !has_scale(state_c))
        return "a tensor without a scale";

    out->input = inputs->data[INPUT], out->output = outputs->data[0];
    out->state_h = inputs->data[STATE_H], out->state_c = inputs->data[STATE_C];
    out->units = first->dims->data[0], out->features = first->dims->data[1];
    if (out->units < 1 || out->units > LARGEST_SIZE || out->features < 1 || out->features > LARGEST_SIZE)
        return "no units or features, or too many";
    out->input_zero_point = input->zero_point;
    out->state_zero_point = state_h->zero_point;
    out->hidden_zero_point = hidden->zero_point;
    /* Elsewhere the built-in kernel leaves tanh(c) out, or writes zeros. */
    out->cell_integer_bits = fl_exact_log2(state_c->scale) + 15;
    if (out->cell_integer_bits < 0 || out->cell_integer_bits > 6 || state_c->zero_point)
        return "a cell whose scale is not 2^-15 to 2^-9";
    const double hidden_factor = (float)(0x1p-30 / (double)hidden->scale);
    if (!(hidden_factor > 0 && hidden_factor < FL_LARGEST_FACTOR)) return "a hidden scale out of range";
    out->hidden_scale = fl_quantize_multiplier(hidden_factor);

    const char *reason = read_options(node->builtin_data, state_c->scale, out);
    for (int32_t gate = 0; gate < FL_GATES && !reason; gate++) reason = read_gate(context, inputs, gate, out);
    return reason;
}
