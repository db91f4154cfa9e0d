/* SPDX-License-Identifier: MIT */
/* A word that says what, which may be shortened, and the name of a file. */
#include "monitor.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "snapshots.h"

static const char default_file[] = "massif.vgdb.out";

static void write_now(const char *file, bool detailed)
{
    Snapshot s = snapshot_now(detailed);
    output_write_to("snapshot", file, &s, 1);
    tree_sizes_free(s.tree);
}

static void cmd_snapshot(const char *file) { write_now(file, false); }
static void cmd_detailed(const char *file) { write_now(file, true); }

static void cmd_all(const char *file)
{
    unsigned n;
    const Snapshot *all = snapshots_all(&n);
    output_write_to("all_snapshots", file, all, n);
}

static void cmd_help(const char *file)
{
    (void)file;
    gimle_umsg("massif monitor commands:\n"
               "  snapshot [<filename>]\n"
               "  detailed_snapshot [<filename>]\n"
               "      record memory as it is now, with an allocation tree if detailed\n"
               "  all_snapshots [<filename>]\n"
               "      write all snapshots so far; the default file is %s\n", default_file);
}

static const struct {
    const char *name;
    void (*run)(const char *file);
} commands[] = {
    { "help", cmd_help }, { "snapshot", cmd_snapshot }, { "detailed_snapshot", cmd_detailed },
    { "all_snapshots", cmd_all },
};

static bool run_command(char *text)
{
    char *rest, *word = strtok_r(text, " \t", &rest);
    const char *file = word ? strtok_r(NULL, " \t", &rest) : NULL;
    for (size_t i = 0; word && i < sizeof commands / sizeof commands[0]; i++) {
        if (strncmp(commands[i].name, word, strlen(word)) == 0) {
            commands[i].run(file ? file : default_file);
            return true;
        }
    }
    return false;
}

bool monitor_command(Thread *t, const char *command)
{
    char *text = strdup(command);
    (void)t;
    bool known = text && run_command(text);
    free(text);
    return known;
}
