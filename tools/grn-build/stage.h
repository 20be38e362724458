/* Running one subcommand of this program as a process of its own. */
#ifndef GRN_BUILD_STAGE_H
#define GRN_BUILD_STAGE_H

#include <stddef.h>

#include "base/err.h"

/* A command line under construction; a failure to add sticks and is reported by grn_stage_run. */
typedef struct {
    char **v; /* owned copies; v[0] is the subcommand */
    size_t n, cap;
    grn_status rc;
} grn_stage_t;

void grn_stage_clear(grn_stage_t *s);
void grn_stage_add(grn_stage_t *s, const char *arg); /* an operand or a flag */
void grn_stage_opt(grn_stage_t *s, const char *name,
                   const char *value); /* name and value; value NULL: nothing */
void grn_stage_num(grn_stage_t *s, const char *name, double value); /* shortest decimal */
void grn_stage_int(grn_stage_t *s, const char *name, long long value);

/* Adds the common options of this run, prints the command, runs `this program v[0] v[1] ...` and
 * waits. GRN_EEMPTY when it ends with 3, GRN_EINVAL with any other status but 0 (it has said why),
 * GRN_EIO when it cannot be run or dies of a signal. The child dies with its parent. */
grn_status grn_stage_run(grn_stage_t *s) GRN_MUST_USE;

#endif
