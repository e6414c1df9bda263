include(${CMAKE_CURRENT_LIST_DIR}/botel-sdk-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/BotelPlugin.cmake)
