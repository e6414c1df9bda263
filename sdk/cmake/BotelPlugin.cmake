# botel_add_plugin(NAME SOURCES ...): a shared library NAME.so that Botel can load, replace and unload.
#
# Only the entry is exported, no symbol is shared with another plugin or an older version of the same one
# (-fno-gnu-unique, hidden visibility, a version script), and a missing symbol is an error when linking, not a crash of
# the host when it is called (-z defs, -z now). In Botel's own tree the plugin lands in the build's plugins folder.

function(botel_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 plugin "" "" "SOURCES")
  if(NOT plugin_SOURCES)
    message(FATAL_ERROR "botel_add_plugin(${name}): no SOURCES")
  endif()
  add_library(${name} MODULE ${plugin_SOURCES})
  target_link_libraries(${name} PRIVATE botel::sdk)
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    SUFFIX .so
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE LINKER:-z,now LINKER:--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  if(NOT "${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS}" MATCHES "-fsanitize")
    # A sanitizer's runtime comes with the host.
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  # The host takes no file that others may write to, as a umask of 002 leaves it.
  add_custom_command(TARGET ${name} POST_BUILD COMMAND chmod go-w $<TARGET_FILE:${name}>)
  if(BOTEL_PLUGIN_OUTPUT)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${BOTEL_PLUGIN_OUTPUT})
  endif()
endfunction()
