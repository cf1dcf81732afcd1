/* The delegate: which nodes are taken, and what the interpreter calls to run them.
 *
 * Each fused LSTM is replaced by itself. Its state stays the interpreter's: h and c are read at the start of
 * a call and written back at its end, so carrying it over, reading it and reset_all_variables() are as built
 * in. Nothing is global and writable: interpreters in several threads, on one delegate or on many, do not
 * meet, except in the counters of a delegate, which are atomic. */
#include "pack.h"
#include "platform.h"

#include <stdatomic.h>
#include <string.h>

#define FL_EXPORT __attribute__((visibility("default")))

enum { REFUSALS = 8 };

struct fl_delegate {
    struct tf_delegate interface; /* first: the interpreter's pointer is ours */
    const struct fl_path *path;
    atomic_int taken, refused;
    _Atomic(const char *) reasons[REFUSALS]; /* of the first refusals */
};

struct fl_kernel { /* user_data of a node */
    struct fl_node node;
    struct fl_lstm *lstm;
};

/* --- A node that was taken ------------------------------------------------------------------------ */

static void *kernel_init(struct tf_context *context, const char *buffer, size_t length) {
    (void)length;
    const struct tf_delegate_params *params = (const void *)buffer;
    struct tf_node *node;
    struct tf_registration *registration;
    if (!params || !params->nodes_to_replace || params->nodes_to_replace->size != 1) return NULL;
    if (context->get_node_and_registration(context, params->nodes_to_replace->data[0], &node, &registration))
        return NULL;
    struct fl_kernel *kernel = fl_allocate(sizeof *kernel);
    if (!kernel) return NULL;
    const struct fl_delegate *delegate = (const void *)params->delegate;
    if (!fl_read_node(context, node, &kernel->node)) kernel->lstm = fl_pack(&kernel->node, delegate->path);
    return kernel;
}

static void kernel_free(struct tf_context *context, void *buffer) {
    (void)context;
    struct fl_kernel *kernel = buffer;
    if (!kernel) return;
    if (kernel->lstm) fl_release(kernel->lstm, kernel->lstm->bytes);
    fl_release(kernel, sizeof *kernel);
}

static int failed(struct tf_context *context, const char *what) {
    if (context->report_error) context->report_error(context, "fuselage LSTM: %s.", what);
    return TF_ERROR;
}

static int give_shape(struct tf_context *context, struct tf_tensor *tensor, int32_t a, int32_t b, int32_t c) {
    if (fl_rank(tensor) == 3 && tensor->dims->data[0] == a && tensor->dims->data[1] == b && tensor->dims->data[2] == c)
        return TF_OK;
    struct tf_ints *shape = fl_allocate_for_interpreter(4 * sizeof(int32_t));
    if (!shape) return failed(context, "this build has no memory to resize the output with");
    shape->size = 3, shape->data[0] = a, shape->data[1] = b, shape->data[2] = c;
    return context->resize_tensor(context, tensor, shape);
}

/* Check what may have been resized, and give the output its shape. */
static int kernel_prepare(struct tf_context *context, struct tf_node *node) {
    const struct fl_kernel *kernel = node->user_data;
    if (!kernel || !kernel->lstm) return failed(context, "no memory for the packed weights");
    const struct fl_node *at = &kernel->node;
    const struct tf_tensor *input = fl_tensor(context, at->input);
    struct tf_tensor *output = fl_tensor(context, at->output);
    const struct tf_tensor *state_h = fl_tensor(context, at->state_h), *state_c = fl_tensor(context, at->state_c);
    if (!input || !output || !state_h || !state_c) return failed(context, "a tensor is gone");
    if (fl_rank(input) != 3 || input->dims->data[2] != at->features)
        return failed(context, "the input is not [batch, time, features]");
    const int32_t batch = input->dims->data[at->time_major ? 1 : 0];
    const size_t cells = batch < 0 ? 0 : (size_t)batch * at->units;
    if (state_h->bytes != cells || state_c->bytes != cells * sizeof(int16_t))
        return failed(context, "the state is for another batch size");
    return give_shape(context, output, input->dims->data[0], input->dims->data[1], at->units);
}

static int kernel_invoke(struct tf_context *context, struct tf_node *node) {
    const struct fl_kernel *kernel = node->user_data;
    const struct fl_node *at = &kernel->node;
    struct fl_lstm *lstm = kernel->lstm;
    const struct tf_tensor *input = fl_tensor(context, at->input), *output = fl_tensor(context, at->output);
    int8_t *h = fl_tensor(context, at->state_h)->data;
    int16_t *c = fl_tensor(context, at->state_c)->data;
    if (!input->data || !output->data || !h || !c) return failed(context, "a tensor has no memory");
    const int32_t *dims = input->dims->data;
    const int32_t batch = dims[at->time_major ? 1 : 0], steps = dims[at->time_major ? 0 : 1];
    const ptrdiff_t features = at->features, units = at->units;
    const ptrdiff_t between_steps = at->time_major ? batch : 1, between_batches = at->time_major ? 1 : steps;
    for (int32_t n = 0; n < batch; n++, h += units, c += units) {
        memcpy(lstm->state_h, h, (size_t)units);
        memcpy(lstm->state_c, c, (size_t)units * sizeof *c);
        lstm->path->run(lstm, (const int8_t *)input->data + n * between_batches * features,
                        between_steps * features, (int8_t *)output->data + n * between_batches * units,
                        between_steps * units, steps);
        memcpy(h, lstm->state_h, (size_t)units);
        memcpy(c, lstm->state_c, (size_t)units * sizeof *c);
    }
    return TF_OK;
}

/* --- The delegate --------------------------------------------------------------------------------- */

static void refuse(struct fl_delegate *delegate, const char *reason) {
    const int number = atomic_fetch_add(&delegate->refused, 1);
    if (number < REFUSALS) atomic_store(&delegate->reasons[number], reason);
}

static int take_node(struct tf_context *context, struct fl_delegate *delegate, int32_t index) {
    struct tf_node *node;
    struct tf_registration *registration;
    if (context->get_node_and_registration(context, index, &node, &registration)) return TF_ERROR;
    if (!node || !registration || registration->builtin_code != TF_UNIDIRECTIONAL_SEQUENCE_LSTM) return TF_OK;
    struct fl_node read;
    const char *reason = fl_read_node(context, node, &read);
    if (reason) return refuse(delegate, reason), TF_OK;
    struct tf_registration ours = {
        .init = kernel_init,
        .free = kernel_free,
        .prepare = kernel_prepare,
        .invoke = kernel_invoke,
        .custom_name = "FuselageLstm",
        .version = 1,
    };
    struct {
        int32_t size, index;
    } one = {1, index};
    const int status =
        context->replace_node_subsets(context, ours, (const struct tf_ints *)(const void *)&one, &delegate->interface);
    if (status == TF_OK) atomic_fetch_add(&delegate->taken, 1);
    return status;
}

static int delegate_prepare(struct tf_context *context, struct tf_delegate *self) {
    struct fl_delegate *delegate = (void *)self;
    struct tf_ints *plan;
    if (context->get_execution_plan(context, &plan)) return TF_ERROR;
    /* The plan changes with every node that is replaced, so it is copied; the indices of nodes do not. */
    const int32_t count = plan->size;
    const size_t bytes = ((size_t)count + 1) * sizeof(int32_t);
    int32_t *nodes = fl_allocate(bytes);
    if (!nodes) return TF_ERROR;
    memcpy(nodes, plan->data, (size_t)count * sizeof *nodes);
    int status = TF_OK;
    for (int32_t n = 0; n < count && status == TF_OK; n++) status = take_node(context, delegate, nodes[n]);
    fl_release(nodes, bytes);
    return status;
}

/* The interpreter's interface of a delegate in a library of its own. The one option is `path`, the name of an
 * instruction set; without it the best is taken. Returns NULL after report_error has been told why. */
FL_EXPORT struct tf_delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                                            void (*report_error)(const char *));
FL_EXPORT void tflite_plugin_destroy_delegate(struct tf_delegate *delegate);

struct tf_delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                                  void (*report_error)(const char *)) {
    const char *name = NULL, *problem = NULL;
    /* Python passes the count as an int: the upper half of the register says nothing. */
    for (uint32_t n = 0; n < (uint32_t)count; n++) {
        if (strcmp(keys[n], "path") == 0) name = values[n];
        else problem = "fuselage_kernels: unknown option; the only one is 'path'.";
    }
    const struct fl_path *path = fl_choose_path(name);
    if (!path) problem = "fuselage_kernels: this CPU cannot run the path asked for, or there is none of that name.";
    struct fl_delegate *delegate = problem ? NULL : fl_allocate(sizeof *delegate);
    if (!problem && !delegate) problem = "fuselage_kernels: no memory.";
    if (problem) {
        if (report_error) report_error(problem);
        return NULL;
    }
    delegate->interface.data = delegate;
    delegate->interface.prepare = delegate_prepare;
    delegate->interface.flags = TF_ALLOW_DYNAMIC_TENSORS; /* a model whose input is resized stays with us */
    delegate->path = path;
    return &delegate->interface;
}

void tflite_plugin_destroy_delegate(struct tf_delegate *delegate) {
    if (delegate) fl_release(delegate, sizeof(struct fl_delegate));
}

/* --- What ran, for whoever has to say it ----------------------------------------------------------- */

FL_EXPORT const char *fuselage_kernels_path(const struct tf_delegate *delegate);
FL_EXPORT int fuselage_kernels_taken(struct tf_delegate *delegate);
FL_EXPORT int fuselage_kernels_refused(struct tf_delegate *delegate);
FL_EXPORT const char *fuselage_kernels_reason(struct tf_delegate *delegate, int number);
FL_EXPORT const char *fuselage_kernels_runnable(int number);

/* The instruction set that a delegate uses. */
const char *fuselage_kernels_path(const struct tf_delegate *delegate) {
    return ((const struct fl_delegate *)(const void *)delegate)->path->name;
}
/* How many fused LSTMs it has taken, and how many it has left to the built-in kernel. */
int fuselage_kernels_taken(struct tf_delegate *delegate) {
    return atomic_load(&((struct fl_delegate *)(void *)delegate)->taken);
}
int fuselage_kernels_refused(struct tf_delegate *delegate) {
    return atomic_load(&((struct fl_delegate *)(void *)delegate)->refused);
}
/* Why it has left the number-th, from 0; NULL if that is not known. */
const char *fuselage_kernels_reason(struct tf_delegate *delegate, int number) {
    if (number < 0 || number >= REFUSALS) return NULL;
    return atomic_load(&((struct fl_delegate *)(void *)delegate)->reasons[number]);
}
/* The number-th instruction set that is built in and runs on this CPU, best first; NULL behind the last. */
const char *fuselage_kernels_runnable(int number) {
    for (const struct fl_path *const *path = fl_paths; *path; path++)
        if (fl_path_runs_here(*path) && number-- == 0) return (*path)->name;
    return NULL;
}
