/* Is what was exported what this compiler sees? `make check` compiles and runs this file; it needs no library but
   libm. Exit code 0 and CHECK PASSED, or a line for each thing that is wrong. */
#include "fuselage_golden.h"
#include "fuselage_model.h"

#include <stdio.h>
#include <string.h>

static int wrong = 0;

static void expect(int good, const char *what) {
    if (!good) {
        printf("WRONG: %s\n", what);
        wrong = 1;
    }
}

/* FNV-1a, 32 bits. */
static uint32_t checksum(const unsigned char *bytes, size_t size) {
    uint32_t hash = 2166136261u;
    size_t at;
    for (at = 0; at < size; ++at) hash = (hash ^ bytes[at]) * 16777619u;
    return hash;
}

int main(void) {
    static int8_t features[FUSELAGE_STEPS * FUSELAGE_FEATURES];
    int window, name, length_total = 0;

    expect(sizeof fuselage_model == FUSELAGE_MODEL_SIZE, "the size of the model");
    expect((uintptr_t)fuselage_model % 16 == 0, "the alignment of the model");
    expect(memcmp(fuselage_model + 4, "TFL3", 4) == 0, "the identifier of the model");
    expect(checksum(fuselage_model, FUSELAGE_MODEL_SIZE) == FUSELAGE_MODEL_CHECKSUM, "the bytes of the model");

    expect(sizeof fuselage_golden_lengths / sizeof *fuselage_golden_lengths == FUSELAGE_GOLDEN_WINDOWS,
           "the number of golden windows");
    for (window = 0; window < FUSELAGE_GOLDEN_WINDOWS; ++window) {
        const float *raw = fuselage_golden_raw + (size_t)window * FUSELAGE_STEPS * FUSELAGE_FEATURES;
        const int8_t *wanted = fuselage_golden_features + (size_t)window * FUSELAGE_STEPS * FUSELAGE_FEATURES;
        int length = (int)fuselage_golden_lengths[window];
        length_total += length;
        expect(fuselage_quantize(raw, length, features) == 0, "a golden window is taken");
        expect(memcmp(features, wanted, sizeof features) == 0, "the quantized features of a golden window");
    }
    expect(length_total > 0, "the lengths of the golden windows");
    expect(fuselage_quantize(fuselage_golden_raw, 0, features) != 0, "a window without steps is refused");
    expect(fuselage_quantize(fuselage_golden_raw, FUSELAGE_STEPS + 1, features) != 0,
           "a window that is too long is refused");

    for (name = 0; name < FUSELAGE_NAMES; ++name)
        printf("%d: %u bytes of name\n", name, (unsigned)strlen(fuselage_names[name]));
    printf("model %u bytes, arena estimate %u bytes, %d golden windows\n", (unsigned)FUSELAGE_MODEL_SIZE,
           (unsigned)FUSELAGE_ARENA_ESTIMATE, FUSELAGE_GOLDEN_WINDOWS);
    puts(wrong ? "CHECK FAILED" : "CHECK PASSED");
    return wrong;
}
