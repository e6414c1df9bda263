#include "sdk/plain_rapidjson.hpp"

#include <rapidjson/document.h>

int plain_rapidjson(const char* json) {
  rapidjson::Document document;
  document.Parse(json);
  return document["n"].GetInt();
}
