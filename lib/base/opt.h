/* Command lines: one table per tool drives the parser, --help and the man-page test.
 *
 *     static struct { const char *out; int64_t top; double frac; int flag; const char *method; }
 * opt = { "-", 50, 0.05, 0, "exact" }; static const grn_opt_t table[] = { GRN_OPT_HEAD("Input"),
 *         GRN_OPT_STR  ('o', "output",  "FILE", &opt.out,  "where the scores go"),
 *         GRN_OPT_INT  ('k', "top",     "INT",  &opt.top, 1, 1000000, "links per gene"),
 *         GRN_OPT_FLT  (0,   "frac",    "FLOAT",&opt.frac, 0, 1, "share of the ranking that
 * counts"), GRN_OPT_FLAG (0,   "weights", &opt.flag, "use edge weights"), GRN_OPT_ENUM (0, "ties",
 * "exact|random", &opt.method, "how ties are treated"), GRN_OPT_LIST ('g', "gmt",     "FILE",
 * &opt.gmts, "may be given several times"), GRN_OPT_END };
 *
 * Defaults are the values found in the variables when parsing starts; --help shows them in
 * brackets. Options and operands may be mixed; "--" ends options; "-" is an operand; --name=value
 * and --name value, -k5 and -k 5, and unambiguous prefixes of long names are accepted. A preset is
 * an ENUM option declared with GRN_OPT_PRESET, applied before all others wherever it stands. */
#ifndef GRN_BASE_OPT_H
#define GRN_BASE_OPT_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/par.h"

typedef enum {
    GRN_OPT_T_END,
    GRN_OPT_T_HEAD,
    GRN_OPT_T_FLAG,
    GRN_OPT_T_INT,
    GRN_OPT_T_U64,
    GRN_OPT_T_FLT,
    GRN_OPT_T_STR,
    GRN_OPT_T_ENUM,
    GRN_OPT_T_LIST,
    GRN_OPT_T_SIZE,
    GRN_OPT_T_PRESET
} grn_opt_type;

typedef struct { /* values of a repeated option, in order; borrowed from argv */
    const char **v;
    size_t n, cap;
} grn_opt_list_t;

typedef struct {
    grn_opt_type type;
    char short_name;       /* 0: none */
    const char *long_name; /* HEAD: the heading */
    const char *metavar;   /* ENUM: "a|b|c" */
    void *ptr;     /* int*, int64_t*, uint64_t*, double*, const char**, grn_opt_list_t*; PRESET:
                      grn_status (*)(const char *) */
    double lo, hi; /* inclusive range of INT and FLT */
    const char *help;
} grn_opt_t;

#define GRN_OPT_HEAD(text) { GRN_OPT_T_HEAD, 0, text, 0, 0, 0, 0, 0 }
#define GRN_OPT_FLAG(s, l, p, h) \
    { GRN_OPT_T_FLAG, s, l, 0, p, 0, 0, h } /* int *p, set to 1; --no-NAME sets 0 */
#define GRN_OPT_INT(s, l, m, p, lo, hi, h) { GRN_OPT_T_INT, s, l, m, p, lo, hi, h } /* int64_t *p \
                                                                                     */
#define GRN_OPT_U64(s, l, m, p, h) { GRN_OPT_T_U64, s, l, m, p, 0, 0, h } /* uint64_t *p */
#define GRN_OPT_FLT(s, l, m, p, lo, hi, h) { GRN_OPT_T_FLT, s, l, m, p, lo, hi, h } /* double *p \
                                                                                     */
#define GRN_OPT_STR(s, l, m, p, h) { GRN_OPT_T_STR, s, l, m, p, 0, 0, h } /* const char **p */
#define GRN_OPT_ENUM(s, l, m, p, h) \
    { GRN_OPT_T_ENUM, s, l, m, p, 0, 0, h } /* const char **p; metavar lists the words */
#define GRN_OPT_LIST(s, l, m, p, h) { GRN_OPT_T_LIST, s, l, m, p, 0, 0, h } /* grn_opt_list_t *p \
                                                                             */
#define GRN_OPT_SIZE(s, l, m, p, h) \
    { GRN_OPT_T_SIZE, s, l, m, p, 0, 0, h } /* uint64_t *p, bytes, "8G" */
#define GRN_OPT_PRESET(s, l, m, fn, h) { GRN_OPT_T_PRESET, s, l, m, (void *)(fn), 0, 0, h }
#define GRN_OPT_END { GRN_OPT_T_END, 0, 0, 0, 0, 0, 0, 0 }

/* What every tool understands; filled by grn_tool_start. */
typedef struct {
    int64_t threads;    /* -@, --threads [CPUs this process may use] */
    uint64_t seed;      /* --seed [1] */
    const char *device; /* --device auto|cpu|cuda[:N] */
    uint64_t max_mem;   /* --max-mem SIZE [0 = no limit given] */
    int64_t verbosity;  /* -v INT [3]; -q sets 1 */
    int quiet;
    const char *progress; /* auto|always|never */
    const char *log_json; /* FILE */
    int no_pg;            /* --no-pg: no command line and no chain in outputs */
    grn_par_t *pool;      /* `threads` workers */
} grn_common_t;
extern grn_common_t grn_common;

typedef struct {
    const char *name;       /* "grn-aucell", or "grn-build count" for a subcommand */
    const char *brief;      /* one line */
    const char *usage;      /* operands: "[options] COUNTS" */
    const grn_opt_t *opt;   /* the tool's own table */
    int min_args, max_args; /* operands; max -1 = any */
    const char *examples;   /* shown after the options, may be NULL */
} grn_tool_t;

typedef struct { /* operands left after options, borrowed from argv */
    int n;
    char **v;
} grn_args_t;

/* The life of a tool, all of main():
 *     int main(int argc, char **argv) { return grn_tool_main(&tool, argc, argv, run); }
 * Parses the common and own tables (GRN_EUSAGE -> message + exit 2; no operands when min_args > 0:
 * usage on stderr, exit 2), answers --help and --version on stdout with 0, sets up logs, signals,
 * threads and the pool (BLAS at one thread), calls run, prints the error once, prints the final
 * resource lines (level >= 3), flushes and checks stdout, returns the exit status. */
int grn_tool_main(const grn_tool_t *tool, int argc, char **argv,
                  grn_status (*run)(const grn_args_t *args));

/* A tool with subcommands: `grn-build count ...`; --help lists them, `grn-build help count` shows
 * one. */
typedef struct {
    grn_tool_t tool; /* tool.name = "grn-build count" */
    grn_status (*run)(const grn_args_t *args);
} grn_subtool_t;
int grn_tool_main_sub(const char *name, const char *brief, const grn_subtool_t *sub, size_t n_sub,
                      int argc, char **argv);

/* The command line of this run, shell-quoted, for provenance; without threads, verbosity, progress,
 * log file and what grn_tool_unrecorded names, which never change an output. Borrowed. */
const char *grn_tool_command(void);
/* Before grn_tool_main: long names, NULL at the end, of more options that change no output. Borrowed. */
void grn_tool_unrecorded(const char *const *names);
/* The running tool's name without subcommand, e.g. "grn-build". */
const char *grn_tool_name(void);

#endif
