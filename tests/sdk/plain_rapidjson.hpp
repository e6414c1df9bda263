// A file that uses RapidJSON with its own assertions, as one of a plugin may.
#pragma once

// The member "n".
int plain_rapidjson(const char* json);
