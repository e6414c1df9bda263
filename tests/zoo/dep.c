/* A library of a plugin's own, in two versions of one soname. */
const char* zoo_dep(void) { return ZOO_DEP; }
#ifdef ZOO_DEP_HAS_MORE
const char* zoo_dep_more(void) { return ZOO_DEP; }
#endif
