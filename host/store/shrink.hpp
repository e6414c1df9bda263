// How a store's file becomes smaller again once much of what was in it is gone.
#pragma once

#include <SQLiteCpp/Database.h>

#include <string>

namespace botel::store {

// Files of earlier versions keep their pages for ever: lets this one give them back. May take as long as reading and
// writing all of it, so that a large file stays as it is. [while the store is opened]
void let_shrink(SQLite::Database& database, const std::string& file);

// Gives back some pages where much of the file is free; takes no longer than a commit. True: there are more. May throw.
[[nodiscard]] bool shrink(SQLite::Database& database);

}  // namespace botel::store
