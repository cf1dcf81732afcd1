/* The library in a program of its own, for sanitizers, valgrind and damaged graphs. No interpreter is needed.
 *
 *   driver paths N        N random LSTMs on every instruction set; all have to give the same bytes
 *   driver churn N        create and destroy N times; the memory in use must not grow
 *   driver fuzz N [SEED]  N graphs with random damage: refused or run, but never a crash
 *
 * Prints what it did; exit code 1 where something is wrong. */
#include "stand_in.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tf_delegate *tflite_plugin_create_delegate(char **, char **, size_t, void (*)(const char *));
void tflite_plugin_destroy_delegate(struct tf_delegate *);
const char *fuselage_kernels_runnable(int);

static struct tf_delegate *create(const char *path) {
    char *key = "path", *value = (char *)(size_t)path;
    return tflite_plugin_create_delegate(&key, &value, path ? 1 : 0, NULL);
}

static void fill_inputs(struct stand_in *in, uint64_t *random) {
    for (size_t n = 0; n < in->tensors[INPUT].bytes; n++)
        ((int8_t *)in->tensors[INPUT].data)[n] = (int8_t)next_random(random);
}

static uint64_t hash(const struct tf_tensor *tensor, uint64_t value) {
    for (size_t n = 0; n < tensor->bytes; n++) value = (value ^ ((const uint8_t *)tensor->data)[n]) * 1099511628211u;
    return value;
}

/* Two calls with the state carried: a number that stands for all bytes of outputs and states. */
static int run_twice(struct stand_in *in, uint64_t seed, uint64_t *result) {
    uint64_t random = seed * 2 + 1;
    if (!stand_in_prepare(in)) return 0;
    for (int call = 0; call < 2; call++) {
        fill_inputs(in, &random);
        if (!stand_in_invoke(in)) return 0;
        *result = hash(&in->tensors[OUTPUT], hash(&in->tensors[HIDDEN_STATE], *result));
        *result = hash(&in->tensors[CELL_STATE], *result);
    }
    return 1;
}

static struct sizes random_sizes(uint64_t *random, int32_t most) {
    return (struct sizes){(int32_t)(1 + next_random(random) % most), (int32_t)(1 + next_random(random) % most),
                          (int32_t)(1 + next_random(random) % 4), (int32_t)(1 + next_random(random) % 40),
                          (int32_t)(next_random(random) % 2)};
}

static int paths(int count) {
    uint64_t random = 12345;
    for (int n = 0; n < count; n++) {
        const struct sizes sizes = random_sizes(&random, n % 4 ? 40 : 150);
        uint64_t first = 0;
        const char *path;
        for (int number = 0; (path = fuselage_kernels_runnable(number)); number++) {
            struct tf_delegate *delegate = create(path);
            struct stand_in *in = stand_in_new(sizes, (uint64_t)n);
            uint64_t result = 1469598103934665603u;
            if (!stand_in_delegate(in, delegate) || !run_twice(in, (uint64_t)n, &result))
                return fprintf(stderr, "case %d was refused on %s\n", n, path), 1;
            if (number && result != first) return fprintf(stderr, "case %d differs on %s\n", n, path), 1;
            first = result;
            stand_in_delete(in);
            tflite_plugin_destroy_delegate(delegate);
        }
    }
    return printf("%d LSTMs, the same bytes on every instruction set\n", count), 0;
}

static int churn(int count) {
    size_t used = 0;
    for (int n = 0; n < count; n++) {
        struct tf_delegate *delegate = create(NULL);
        struct stand_in *in = stand_in_new((struct sizes){33, 10, 1, 3, 0}, 1);
        uint64_t result = 0;
        if (!stand_in_delegate(in, delegate) || !run_twice(in, 1, &result)) return 1;
        stand_in_delete(in);
        tflite_plugin_destroy_delegate(delegate);
        if (n == 10) used = mallinfo2().uordblks;
    }
    const size_t end = mallinfo2().uordblks;
    printf("created and destroyed %d times, %zu bytes in use after 10, %zu at the end\n", count, used, end);
    return end > used;
}

/* One random damage. What an interpreter guarantees is kept: tensors that are there have memory of the size
 * that type and dims say, and lists are as long as they say. */
static void damage(struct stand_in *in, uint64_t *random) {
    const int32_t index = (int32_t)(next_random(random) % USED);
    struct tf_tensor *tensor = &in->tensors[index];
    const float floats[] = {0, -1, 1e-38f, 3e38f, 1e-45f, (float)1e39, -(float)1e39, 0.0f / 0.0f, 1.f / 128};
    const int32_t types[] = {TF_FLOAT32, TF_INT32, TF_INT16, TF_INT8, 0, 99};
    const int32_t numbers[] = {0, -1, 1, 2, 7, 16, 17, 1000, 1 << 14, (1 << 14) + 1, INT32_MAX, INT32_MIN, -128, 128};
    const int32_t number = numbers[next_random(random) % (sizeof numbers / sizeof *numbers)];
    switch (next_random(random) % 16) {
    case 0: tensor->type = types[next_random(random) % 6]; break;
    case 1: tensor->dims = NULL; break;
    case 2: in->dims[index][0] = (int32_t)(next_random(random) % 5); break;
    case 3: in->dims[index][1 + next_random(random) % 3] = number; break;
    case 4: tensor->scale = floats[next_random(random) % 9]; break;
    case 5: tensor->zero_point = number; break;
    case 6: tensor->allocation_type = (int32_t)(next_random(random) % 4); break;
    case 7: free(tensor->data), tensor->data = NULL; break;
    case 8: tensor->is_variable ^= 1; break;
    case 9: in->inputs[1 + next_random(random) % 24] = number; break;
    case 10: in->inputs[0] = (int32_t)(next_random(random) % 25); break;
    case 11: in->outputs[next_random(random) % 2] = number > 1 ? 1 : number < 0 ? 0 : number; break;
    case 12: in->intermediates[0] = (int32_t)(next_random(random) % 6); break;
    case 13: {
        const struct tf_ints **lists[] = {&in->node.inputs, &in->node.outputs, &in->node.intermediates};
        *lists[next_random(random) % 3] = NULL;
        break;
    }
    case 14:
        if (next_random(random) % 4 == 0) in->node.builtin_data = NULL;
        else in->options = (struct tf_lstm_options){number, floats[next_random(random) % 9], 0, 1};
        break;
    case 15:
        if (tensor->data && tensor->bytes) ((int8_t *)tensor->data)[next_random(random) % tensor->bytes] = -128;
        break;
    }
}

static int fuzz(int count, uint64_t seed) {
    uint64_t random = seed * 2 + 1;
    int taken = 0, ran = 0;
    struct tf_delegate *delegate = create(NULL);
    for (int n = 0; n < count; n++) {
        struct stand_in *in = stand_in_new(random_sizes(&random, 20), random);
        const int before = (int)(next_random(&random) % 4), after = (int)(next_random(&random) % 3);
        for (int number = 0; number < before; number++) damage(in, &random);
        const int was_taken = stand_in_delegate(in, delegate);
        for (int number = 0; was_taken && number < after; number++) { /* an input is resized, memory comes late */
            const int32_t dims[1 + RANK] = {3, (int32_t)(next_random(&random) % 5), (int32_t)(next_random(&random) % 5),
                                            (int32_t)(next_random(&random) % 25)};
            memcpy(in->dims[INPUT], dims, sizeof dims);
        }
        uint64_t result = 0;
        taken += was_taken;
        if (was_taken && stand_in_prepare(in)) {
            stand_in_allocate(in); /* as an interpreter does after prepare */
            ran += run_twice(in, 1, &result);
        }
        stand_in_delete(in);
    }
    tflite_plugin_destroy_delegate(delegate);
    printf("%d damaged graphs: %d taken, %d of them run, no crash\n", count, taken, ran);
    return taken == 0 || taken == count;
}

int main(int argc, char **argv) {
    const int count = argc > 2 ? atoi(argv[2]) : 0;
    if (count < 1) return fprintf(stderr, "driver paths|churn|fuzz N [SEED]\n"), 2;
    if (!strcmp(argv[1], "paths")) return paths(count);
    if (!strcmp(argv[1], "churn")) return churn(count);
    if (!strcmp(argv[1], "fuzz")) return fuzz(count, argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
    return 2;
}
