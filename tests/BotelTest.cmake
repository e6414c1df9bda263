# botel_test(NAME SOURCES ... [LIBRARIES ...] [LABELS ...] [DEFINITIONS ...]): a doctest executable as one test.
# The label is `unit` unless another is given.
find_package(doctest REQUIRED)

add_library(botel_test_main OBJECT ${CMAKE_CURRENT_LIST_DIR}/main.cpp)
target_link_libraries(botel_test_main PUBLIC doctest::doctest)

function(botel_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "" "SOURCES;LIBRARIES;LABELS;DEFINITIONS")
  if(NOT test_LABELS)
    set(test_LABELS unit)
  endif()
  add_executable(test-${name} ${test_SOURCES})
  target_include_directories(test-${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test-${name} PRIVATE botel_test_main ${test_LIBRARIES})
  target_compile_definitions(test-${name} PRIVATE BOTEL_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ${test_DEFINITIONS})
  add_test(NAME ${name} COMMAND test-${name})
  set_tests_properties(${name} PROPERTIES LABELS "${test_LABELS}" TIMEOUT 300)
endfunction()
