#include "stand_in.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t next_random(uint64_t *state) { /* xorshift64* */
    *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717) >> 16;
}

static size_t element(int32_t type) { return type == TF_INT8 ? 1 : type == TF_INT16 ? 2 : 4; }

/* Memory of exactly the size that type and dims ask for. */
static void give_memory(struct tf_tensor *tensor) {
    int64_t count = 1;
    for (int32_t n = 0; tensor->dims && n < tensor->dims->size; n++) count *= tensor->dims->data[n];
    tensor->bytes = count < 0 ? 0 : (size_t)count * element(tensor->type);
    free(tensor->data);
    tensor->data = calloc(1, tensor->bytes ? tensor->bytes : 1);
}

static void set(struct stand_in *in, int32_t index, int32_t type, float scale, int32_t zero_point, int32_t rank,
                int32_t a, int32_t b, int32_t c) {
    struct tf_tensor *tensor = &in->tensors[index];
    const int32_t dims[1 + RANK] = {rank, a, b, c, 0};
    memcpy(in->dims[index], dims, sizeof dims);
    tensor->type = type, tensor->scale = scale, tensor->zero_point = zero_point;
    tensor->dims = (const struct tf_ints *)(const void *)in->dims[index];
    give_memory(tensor);
}

static void fill(struct tf_tensor *tensor, uint64_t *random) {
    for (size_t n = 0; n < tensor->bytes / element(tensor->type); n++) {
        const int32_t value = (int32_t)(next_random(random) % 255) - 127;
        if (tensor->type == TF_INT8) ((int8_t *)tensor->data)[n] = (int8_t)value;
        else ((int32_t *)tensor->data)[n] = 100 * value;
    }
}

/* --- What a delegate calls ------------------------------------------------------------------------- */

static struct stand_in *of(struct tf_context *context) { return (struct stand_in *)(void *)context; }

static int get_execution_plan(struct tf_context *context, struct tf_ints **plan) {
    *plan = (struct tf_ints *)(void *)of(context)->plan;
    return TF_OK;
}

static int get_node_and_registration(struct tf_context *context, int index, struct tf_node **node,
                                     struct tf_registration **registration) {
    if (index != 0) return TF_ERROR;
    *node = &of(context)->node, *registration = &of(context)->registration;
    return TF_OK;
}

static int replace_node_subsets(struct tf_context *context, struct tf_registration registration,
                                const struct tf_ints *nodes, struct tf_delegate *delegate) {
    struct stand_in *in = of(context);
    const struct tf_delegate_params params = {delegate, nodes, NULL, NULL};
    in->taken_registration = registration;
    in->taken_node.user_data = registration.init(context, (const char *)&params, 0);
    in->taken = 1;
    return TF_OK;
}

static int resize_tensor(struct tf_context *context, struct tf_tensor *tensor, struct tf_ints *shape) {
    const int32_t index = (int32_t)(tensor - of(context)->tensors);
    int64_t bytes = 1;
    for (int32_t n = 0; n < shape->size; n++) /* no size that an interpreter would not give either */
        bytes = shape->data[n] < 0 || bytes * shape->data[n] > 1 << 24 ? 1 << 25 : bytes * shape->data[n];
    if (bytes > 1 << 24) return free(shape), TF_ERROR;
    memcpy(of(context)->dims[index], shape, sizeof(int32_t) * (size_t)(1 + shape->size));
    free(shape);
    give_memory(tensor);
    return TF_OK;
}

static void report_error(struct tf_context *context, const char *format, ...) { /* formats as a real one does */
    (void)context;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
}

/* --- The graph ------------------------------------------------------------------------------------- */

struct stand_in *stand_in_new(struct sizes sizes, uint64_t seed) {
    struct stand_in *in = calloc(1, sizeof *in);
    uint64_t random = seed * 2 + 1;
    const int32_t units = sizes.units, first = sizes.time_major ? sizes.steps : sizes.batch;
    const int32_t second = sizes.time_major ? sizes.batch : sizes.steps;
    const float weight_scale = 1e-4f * (float)(1 + next_random(&random) % 1000);
    const int32_t zero_point = (int32_t)(next_random(&random) % 256) - 128;
    set(in, INPUT, TF_INT8, 0.03f, zero_point, 3, first, second, sizes.features);
    for (int32_t gate = 0; gate < 4; gate++) {
        set(in, 1 + gate, TF_INT8, weight_scale, 0, 2, units, sizes.features, 0);
        set(in, 5 + gate, TF_INT8, weight_scale, 0, 2, units, units, 0);
        set(in, 9 + gate, TF_INT32, 0, 0, 1, units, 0, 0);
    }
    set(in, HIDDEN_STATE, TF_INT8, 1.f / 128, zero_point, 2, sizes.batch, units, 0);
    set(in, CELL_STATE, TF_INT16, 1.f / (float)(1 << (9 + next_random(&random) % 7)), 0, 2, sizes.batch, units, 0);
    set(in, EFFECTIVE_HIDDEN, TF_INT8, 1.f / 128, zero_point, 1, 0, 0, 0);
    set(in, OUTPUT, TF_INT8, 1.f / 128, zero_point, 3, first, second, units);
    for (int32_t index = 0; index < 13; index++) {
        fill(&in->tensors[index], &random);
        if (index) in->tensors[index].allocation_type = TF_READ_ONLY;
    }
    in->tensors[HIDDEN_STATE].is_variable = in->tensors[CELL_STATE].is_variable = 1;

    in->inputs[0] = 24;
    for (int32_t place = 0; place < 24; place++) in->inputs[1 + place] = TF_ABSENT;
    for (int32_t place = 0; place < 9; place++) in->inputs[1 + place] = place;
    for (int32_t gate = 0; gate < 4; gate++) in->inputs[1 + 12 + gate] = 9 + gate;
    in->inputs[1 + 18] = HIDDEN_STATE, in->inputs[1 + 19] = CELL_STATE;
    in->outputs[0] = 1, in->outputs[1] = OUTPUT;
    in->intermediates[0] = 5;
    for (int32_t n = 1; n <= 5; n++) in->intermediates[n] = EFFECTIVE_HIDDEN;
    in->plan[0] = 1, in->plan[1] = 0;
    in->options = (struct tf_lstm_options){TF_ACTIVATION_TANH, 0, 0, (uint8_t)sizes.time_major};
    in->node.inputs = (const struct tf_ints *)(const void *)in->inputs;
    in->node.outputs = (const struct tf_ints *)(const void *)in->outputs;
    in->node.intermediates = (const struct tf_ints *)(const void *)in->intermediates;
    in->node.builtin_data = &in->options;
    in->registration.builtin_code = TF_UNIDIRECTIONAL_SEQUENCE_LSTM;
    in->context = (struct tf_context){.tensors_size = USED,
                                      .get_execution_plan = get_execution_plan,
                                      .tensors = in->tensors,
                                      .resize_tensor = resize_tensor,
                                      .report_error = report_error,
                                      .get_node_and_registration = get_node_and_registration,
                                      .replace_node_subsets = replace_node_subsets};
    return in;
}

void stand_in_delete(struct stand_in *in) {
    if (in->taken) in->taken_registration.free(&in->context, in->taken_node.user_data);
    for (int32_t index = 0; index < STAND_IN_TENSORS; index++) free(in->tensors[index].data);
    free(in);
}

int stand_in_delegate(struct stand_in *in, struct tf_delegate *delegate) {
    return delegate->prepare(&in->context, delegate) == TF_OK && in->taken;
}

int stand_in_prepare(struct stand_in *in) {
    in->kernel_prepared = in->taken_registration.prepare(&in->context, &in->taken_node) == TF_OK;
    return in->kernel_prepared;
}

void stand_in_allocate(struct stand_in *in) {
    give_memory(&in->tensors[INPUT]);
    give_memory(&in->tensors[OUTPUT]);
}

int stand_in_invoke(struct stand_in *in) {
    return in->taken_registration.invoke(&in->context, &in->taken_node) == TF_OK;
}
