/* The few structures of the interpreter that a delegate meets, as they lie in memory.
 *
 * The classic delegate interface needs no symbol of the interpreter: it is called through function pointers
 * that it hands over itself. So its header (tflite/core/c/common.h) need not be there to build this library;
 * what is read here is declared here, and each place is asserted. The layout is that of 64-bit Linux in
 * ai-edge-litert 2.3.0 and tensorflow 2.21.0. The interpreter calls it "semi-stable": loader.py therefore has
 * a list of tested versions and tries the library in a child process first.
 */
#ifndef FL_TFLITE_ABI_H
#define FL_TFLITE_ABI_H

#include <stddef.h>
#include <stdint.h>

enum { TF_OK = 0, TF_ERROR = 1 };
enum { TF_FLOAT32 = 1, TF_INT32 = 2, TF_INT16 = 7, TF_INT8 = 9 };
enum { TF_READ_ONLY = 1 };         /* allocation_type of what lies in the model file */
enum { TF_ABSENT = -1 };           /* index of an optional tensor that is not given */
enum { TF_ACTIVATION_TANH = 4 };
enum { TF_UNIDIRECTIONAL_SEQUENCE_LSTM = 44 };
enum { TF_ALLOW_DYNAMIC_TENSORS = 1 };

struct tf_ints {
    int32_t size;
    int32_t data[];
};

struct tf_tensor {
    int32_t type;
    void *data;
    const struct tf_ints *dims;
    float scale; /* of the tensor as a whole; 0 where there is none, or one a channel */
    int32_t zero_point;
    int32_t allocation_type;
    size_t bytes;
    const void *not_read[3];
    int32_t buffer_handle;
    uint8_t data_is_stale, is_variable;
    const void *not_read_either[4];
};
_Static_assert(offsetof(struct tf_tensor, data) == 8, "");
_Static_assert(offsetof(struct tf_tensor, dims) == 16, "");
_Static_assert(offsetof(struct tf_tensor, scale) == 24, "");
_Static_assert(offsetof(struct tf_tensor, zero_point) == 28, "");
_Static_assert(offsetof(struct tf_tensor, allocation_type) == 32, "");
_Static_assert(offsetof(struct tf_tensor, bytes) == 40, "");
_Static_assert(offsetof(struct tf_tensor, is_variable) == 77, "");
_Static_assert(sizeof(struct tf_tensor) == 112, "");

struct tf_node {
    const struct tf_ints *inputs, *outputs, *intermediates, *temporaries;
    void *user_data; /* what init returned */
    const void *builtin_data;
    const void *not_read[4];
};
_Static_assert(offsetof(struct tf_node, user_data) == 32, "");
_Static_assert(offsetof(struct tf_node, builtin_data) == 40, "");
_Static_assert(sizeof(struct tf_node) == 80, "");

struct tf_lstm_options { /* builtin_data of UNIDIRECTIONAL_SEQUENCE_LSTM */
    int32_t activation;
    float cell_clip, projection_clip;
    uint8_t time_major;
};
_Static_assert(offsetof(struct tf_lstm_options, time_major) == 12, "");

struct tf_context;
struct tf_delegate;

struct tf_registration {
    void *(*init)(struct tf_context *, const char *buffer, size_t length);
    void (*free)(struct tf_context *, void *buffer);
    int (*prepare)(struct tf_context *, struct tf_node *);
    int (*invoke)(struct tf_context *, struct tf_node *);
    const char *(*profiling_string)(const struct tf_context *, const struct tf_node *);
    int32_t builtin_code;
    const char *custom_name;
    int32_t version;
    /* Three more fields, left null; and then room: the structure is passed by value, so an interpreter whose
     * own is longer reads zeros behind ours and not what happens to lie there. (x86-64 passes such a
     * structure on the stack, aarch64 by reference: longer than expected is right on both.) */
    const void *unused[13];
};
_Static_assert(offsetof(struct tf_registration, builtin_code) == 40, "");
_Static_assert(offsetof(struct tf_registration, custom_name) == 48, "");
_Static_assert(offsetof(struct tf_registration, version) == 56, "");
_Static_assert(sizeof(struct tf_registration) >= 88, "");

struct tf_delegate {
    void *data;
    int (*prepare)(struct tf_context *, struct tf_delegate *);
    void *buffer_functions[3]; /* null: our tensors stay the interpreter's */
    int64_t flags;
    void *opaque_builder;
    const void *unused[9]; /* zeros, as above */
};
_Static_assert(offsetof(struct tf_delegate, flags) == 40, "");
_Static_assert(offsetof(struct tf_delegate, opaque_builder) == 48, "");
_Static_assert(sizeof(struct tf_delegate) >= 56, "");

struct tf_delegate_params { /* what init of a delegate's kernel is handed */
    struct tf_delegate *delegate;
    const struct tf_ints *nodes_to_replace, *inputs, *outputs;
};

struct tf_context {
    size_t tensors_size;
    int (*get_execution_plan)(struct tf_context *, struct tf_ints **);
    struct tf_tensor *tensors;
    void *not_read;
    int (*resize_tensor)(struct tf_context *, struct tf_tensor *, struct tf_ints *); /* takes the shape over: free */
    void (*report_error)(struct tf_context *, const char *format, ...);
    void *add_tensors;
    int (*get_node_and_registration)(struct tf_context *, int, struct tf_node **, struct tf_registration **);
    int (*replace_node_subsets)(struct tf_context *, struct tf_registration, const struct tf_ints *,
                                struct tf_delegate *);
    /* Much follows that is not used. (ResizeTensorExplicit, at 144, would need no malloc; it is null.) */
};
_Static_assert(offsetof(struct tf_context, get_execution_plan) == 8, "");
_Static_assert(offsetof(struct tf_context, tensors) == 16, "");
_Static_assert(offsetof(struct tf_context, resize_tensor) == 32, "");
_Static_assert(offsetof(struct tf_context, report_error) == 40, "");
_Static_assert(offsetof(struct tf_context, get_node_and_registration) == 56, "");
_Static_assert(offsetof(struct tf_context, replace_node_subsets) == 64, "");

#endif
