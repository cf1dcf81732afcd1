/* As much of an interpreter as one delegate meets: a graph of one fused LSTM, whose tensors have exactly as
 * many bytes as they should, so that a sanitizer or valgrind sees each byte too many. */
#ifndef FL_STAND_IN_H
#define FL_STAND_IN_H

#include "../src/tflite_abi.h"

enum { STAND_IN_TENSORS = 24, RANK = 4 };

struct stand_in {
    struct tf_context context; /* first */
    struct tf_tensor tensors[STAND_IN_TENSORS];
    int32_t dims[STAND_IN_TENSORS][1 + RANK]; /* a tf_ints each */
    int32_t inputs[1 + 24], outputs[1 + 1], intermediates[1 + 5], plan[1 + 1];
    struct tf_lstm_options options;
    struct tf_node node, taken_node;
    struct tf_registration registration, taken_registration;
    int taken, kernel_prepared;
};

struct sizes {
    int32_t units, features, batch, steps, time_major;
};

/* A well-formed graph of random weights, scales and zero points. */
struct stand_in *stand_in_new(struct sizes sizes, uint64_t seed);
void stand_in_delete(struct stand_in *stand_in);

/* Give the delegate the graph; then prepare and run what it took. 0 where nothing was taken or it failed. */
int stand_in_delegate(struct stand_in *stand_in, struct tf_delegate *delegate);
int stand_in_prepare(struct stand_in *stand_in);
/* Give input and output the memory that their shapes ask for. */
void stand_in_allocate(struct stand_in *stand_in);
int stand_in_invoke(struct stand_in *stand_in);

/* Tensors by what they are. */
enum { INPUT = 0, HIDDEN_STATE = 13, CELL_STATE = 14, EFFECTIVE_HIDDEN = 15, OUTPUT = 16, USED = 17 };

uint64_t next_random(uint64_t *state);

#endif
