/* A node's integers in the order in which a path uses them. */
#ifndef FL_PACK_H
#define FL_PACK_H

#include "node.h"

/* NULL if there is no memory. Released by fl_release(lstm, lstm->bytes). */
struct fl_lstm *fl_pack(const struct fl_node *node, const struct fl_path *path);

#endif
