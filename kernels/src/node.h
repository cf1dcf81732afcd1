/* What a LSTM node of the interpreter says, read and checked. */
#ifndef FL_NODE_H
#define FL_NODE_H

#include "fixed_point.h"
#include "tflite_abi.h"

/* A node that this library computes. The weights stay where the interpreter has them. */
struct fl_node {
    int32_t input, state_h, state_c, output; /* indices of tensors */
    int32_t units, features;
    int32_t time_major;
    const int8_t *input_weights[FL_GATES], *recurrent_weights[FL_GATES]; /* [units, features], [units, units] */
    const int32_t *bias[FL_GATES];                                       /* [units] */
    int32_t input_zero_point, state_zero_point, hidden_zero_point;
    struct fl_multiplier input_scale[FL_GATES], recurrent_scale[FL_GATES], hidden_scale;
    int32_t cell_integer_bits, cell_clip; /* clip: 0 for none */
};

/* Read a node. Returns NULL, or why it is not computed here; the built-in kernel then runs it. */
const char *fl_read_node(const struct tf_context *context, const struct tf_node *node, struct fl_node *out);

/* The tensor of an index, NULL if there is none. */
struct tf_tensor *fl_tensor(const struct tf_context *context, int32_t index);
int32_t fl_rank(const struct tf_tensor *tensor);

#endif
