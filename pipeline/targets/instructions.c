/* A plugin of qemu's user emulation that counts the instructions a program executes.
 *
 * Whenever the program calls getppid(), which nothing needs and which changes nothing, the count so far is
 * written as one decimal number a line; the differences are what was executed between two calls. Instructions
 * are counted block by block as blocks are entered. A block that is left early, by a fault, would be counted
 * whole; a system call ends a block. The counter is one for all threads: run programs with one.
 *
 * Debian ships no header for plugins, so that the part of the interface which is used stands here. It is that
 * of qemu 4.2 to 8.2 (version 1) and has not changed since but for the number, which the compiler is given.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef INTERFACE
#define INTERFACE 1
#endif
#define EXPORTED __attribute__((visibility("default")))
#define GETPPID 173 /* system call number of aarch64 Linux */
#define NO_REGISTERS 0 /* the callback neither reads nor writes the program's registers */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;

typedef void translation_hook(plugin_id, struct qemu_plugin_tb *);
typedef void execution_hook(unsigned cpu, void *what);
typedef void exit_hook(plugin_id, void *what);
typedef void syscall_hook(plugin_id, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t, uint64_t);

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, translation_hook *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, execution_hook *, int flags, void *what);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, syscall_hook *);
extern void qemu_plugin_register_atexit_cb(plugin_id, exit_hook *, void *what);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

EXPORTED int qemu_plugin_version = INTERFACE;

static uint64_t executed;
static FILE *marks;

static void block_entered(unsigned cpu, void *instructions)
{
    (void)cpu;
    executed += (uintptr_t)instructions;
}

static void block_translated(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    uintptr_t instructions = qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, block_entered, NO_REGISTERS, (void *)instructions);
}

static void system_call(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                        uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number == GETPPID)
        fprintf(marks, "%" PRIu64 "\n", executed);
}

static void at_exit(plugin_id id, void *what)
{
    (void)id, (void)what;
    fclose(marks);
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *about_qemu, int count, char **arguments)
{
    (void)about_qemu;
    if (count != 1 || strncmp(arguments[0], "out=", 4) != 0) {
        fprintf(stderr, "instructions: the plugin takes one argument, out=FILE\n");
        return 1;
    }
    marks = fopen(arguments[0] + 4, "w");
    if (marks == NULL) {
        perror("instructions: the file of the counts");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    qemu_plugin_register_vcpu_syscall_cb(id, system_call);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
