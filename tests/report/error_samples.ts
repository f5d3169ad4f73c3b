/** Outputs of real tools that failed, and the error that people should read first. */

/** A name, an output, and `file:line:column: message`. */
export type Sample = readonly [name: string, output: string, expected: string];

/** Output of the tools themselves, shortened where only more of the same stood. */
export const SAMPLES: readonly Sample[] = [
  [
    "GCC",
    `cc -c blocks.c
blocks.c: In function ‘main’:
blocks.c:1346:10: error: ‘undeclared’ undeclared (first use in this function)
 1346 |   return undeclared;
      |          ^~~~~~~~~~
blocks.c:1346:10: note: each undeclared identifier is reported only once for each function
make: *** [Makefile:3: all] Error 1`,
    "blocks.c:1346:10: 'undeclared' undeclared",
  ],
  [
    "GCC without a header",
    `inc.c:1:10: fatal error: nothere.h: No such file or directory
    1 | #include <nothere.h>
compilation terminated.`,
    "inc.c:1:10: nothere.h: No such file or directory",
  ],
  [
    "GCC with -Werror",
    `<stdin>:1:17: error: unused variable ‘x’ [-Werror=unused-variable]
cc1: all warnings being treated as errors`,
    "<stdin>:1:17: unused variable 'x' [-Werror=unused-variable]",
  ],
  [
    "GCC without its input",
    `cc1: fatal error: nofile.c: No such file or directory
compilation terminated.`,
    "nofile.c: No such file or directory",
  ],
  [
    "GCC without memory",
    `c++: fatal error: Killed signal terminated program cc1plus
compilation terminated.
make: *** [Makefile:2: a.o] Error 1`,
    "Killed signal terminated program cc1plus",
  ],
  [
    "Clang",
    `In file included from /src/a.cc:1:
/src/a.h:7:3: error: unknown type name 'foo'
  foo x;
  ^
1 error generated.`,
    "/src/a.h:7:3: unknown type name 'foo'",
  ],
  [
    "the GNU linker",
    `/usr/bin/ld: /tmp/ccgmkMi5.o: in function \`main':
ok.c:(.text+0x5): undefined reference to \`foo'
collect2: error: ld returned 1 exit status`,
    "ok.c: undefined reference to `foo'",
  ],
  [
    "the GNU linker with debug information",
    `/usr/bin/ld: /tmp/ccpgWafC.o: in function \`main':
/src/c/ok.c:1: undefined reference to \`foo'
collect2: error: ld returned 1 exit status`,
    "/src/c/ok.c:1: undefined reference to `foo'",
  ],
  [
    "the GNU linker without a library",
    `/usr/bin/ld: cannot find -lnothere: No such file or directory
collect2: error: ld returned 1 exit status`,
    "cannot find -lnothere: No such file or directory",
  ],
  [
    "lld",
    `ld.lld: error: undefined symbol: foo
>>> referenced by main.c:3
>>>               main.o:(main)
clang: error: linker command failed with exit code 1 (use -v to see invocation)`,
    "main.c:3: undefined symbol: foo",
  ],
  [
    "Apple's linker",
    `Undefined symbols for architecture arm64:
  "_foo", referenced from:
      _main in main-1.o
ld: symbol(s) not found for architecture arm64
clang: error: linker command failed with exit code 1 (use -v to see invocation)`,
    `Undefined symbols for architecture arm64 "_foo", referenced from: _main in main-1.o`,
  ],
  [
    "MSVC",
    `b.cpp
C:\\src\\b.cpp(12,5): error C2065: 'x': undeclared identifier [C:\\src\\b.vcxproj]
NMAKE : fatal error U1077: 'cl.exe' : return code '0x2'`,
    "C:\\src\\b.cpp:12:5: C2065: 'x': undeclared identifier",
  ],
  [
    "MSVC's linker",
    `LINK : fatal error LNK1104: cannot open file 'foo.lib'`,
    "LNK1104: cannot open file 'foo.lib'",
  ],
  [
    "CMake",
    `-- Detecting C compile features - done
CMake Error at CMakeLists.txt:3 (find_package):
  By not providing "FindNotHere.cmake" in CMAKE_MODULE_PATH this project has
  asked CMake to find a package configuration file provided by "NotHere", but
  CMake did not find one.

  Could not find a package configuration file provided by "NotHere" with any
  of the following names:
-- Configuring incomplete, errors occurred!`,
    'CMakeLists.txt:3: By not providing "FindNotHere.cmake" in CMAKE_MODULE_PATH this project has ' +
    'asked CMake to find a package configuration file provided by "NotHere", but CMake did not find one.',
  ],
  [
    "CMake's own message",
    `CMake Error at sub/CMakeLists.txt:7 (message):
  no way


-- Configuring incomplete, errors occurred!`,
    "sub/CMakeLists.txt:7: no way",
  ],
  [
    "CMake without a generator",
    `CMake Error: CMake was unable to find a build program corresponding to "Ninja".
CMake Error: CMAKE_C_COMPILER not set, after EnableLanguage`,
    'CMake was unable to find a build program corresponding to "Ninja".',
  ],
  [
    "Meson",
    `Run-time dependency nothere found: NO (tried pkgconfig and cmake)

meson.build:2:0: ERROR: Dependency "nothere" not found, tried pkgconfig and cmake

A full log can be found at /src/b/meson-logs/meson-log.txt`,
    'meson.build:2:0: Dependency "nothere" not found, tried pkgconfig and cmake',
  ],
  [
    "ninja",
    `[1/2] Building C object CMakeFiles/t.dir/t.c.o
FAILED: CMakeFiles/t.dir/t.c.o
/usr/bin/cc -o CMakeFiles/t.dir/t.c.o -c /src/t.c
/src/t.c:1:20: error: ‘z’ undeclared (first use in this function)
ninja: build stopped: subcommand failed.`,
    "/src/t.c:1:20: 'z' undeclared",
  ],
  [
    "ninja, of a command without words",
    `[1/1] Running the generator
FAILED: gen.h
/src/gen > gen.h
ninja: build stopped: subcommand failed.`,
    "FAILED: gen.h",
  ],
  [
    "ninja without a file",
    `ninja: error: 'x.c', needed by 'x.o', missing and no known rule to make it`,
    "'x.c', needed by 'x.o', missing and no known rule to make it",
  ],
  [
    "configure",
    `checking for gcc... no
checking for cc... no
configure: error: in \`/src/b':
configure: error: no acceptable C compiler found in $PATH
See \`config.log' for more details`,
    "no acceptable C compiler found in $PATH",
  ],
  [
    "autoreconf",
    `configure.ac:5: error: possibly undefined macro: AC_NOTHERE
autoreconf: error: /usr/bin/autoconf failed with exit status: 1`,
    "configure.ac:5: possibly undefined macro: AC_NOTHERE",
  ],
  [
    "make without a rule",
    `make: Entering directory '/src'
make: *** No rule to make target 'x', needed by 'all'.  Stop.`,
    "No rule to make target 'x', needed by 'all'",
  ],
  [
    "make's syntax",
    `Makefile:2: *** missing separator.  Stop.`,
    "Makefile:2: missing separator",
  ],
  [
    "make, of a command without words",
    `false
make[1]: *** [Makefile:3: all] Error 1
make: *** [Makefile:9: sub] Error 2`,
    "[Makefile:3: all] Error 1",
  ],
  [
    "rustc",
    `   Compiling ca v0.1.0 (/src/ca)
error[E0425]: cannot find value \`y\` in this scope
 --> src/main.rs:1:45
  |
1 | fn main(){ println!("{}", y); }
  |                           ^

error[E0308]: mismatched types
 --> src/main.rs:1:25
error: could not compile \`ca\` (bin "ca") due to 2 previous errors`,
    "src/main.rs:1:45: cannot find value `y` in this scope",
  ],
  [
    "rustc's parser",
    `error: expected one of \`!\` or \`::\`, found \`x\`
  --> src/lib.rs:4:8
   |
error: could not compile \`ca\` (lib) due to 1 previous error`,
    "src/lib.rs:4:8: expected one of `!` or `::`, found `x`",
  ],
  [
    "cargo",
    `error: no matching package named \`serde\` found
location searched: crates.io index
required by package \`ca v0.1.0 (/src/ca)\``,
    "no matching package named `serde` found",
  ],
  [
    "cargo test",
    `running 1 test
test it ... FAILED

failures:

---- it stdout ----

thread 'it' (18005) panicked at src/main.rs:1:30:
assertion \`left == right\` failed
  left: 1
 right: 2

test result: FAILED. 0 passed; 1 failed; 0 ignored
error: test failed, to rerun pass \`--bin ca\``,
    "src/main.rs:1:30: assertion `left == right` failed",
  ],
  [
    "javac",
    `A.java:1: error: illegal start of expression
class A { int x = ; }
                  ^
1 error`,
    "A.java:1: illegal start of expression",
  ],
  [
    "Gradle",
    `:compileJava/src/gr/src/main/java/A.java:1: error: cannot find symbol
class A { int f() { return y; } }
                           ^
1 error
 FAILED

FAILURE: Build failed with an exception.

* What went wrong:
Execution failed for task ':compileJava'.`,
    "/src/gr/src/main/java/A.java:1: cannot find symbol",
  ],
  [
    "Gradle's own script",
    `FAILURE: Build failed with an exception.

* Where:
Build file '/src/build.gradle' line: 3

* What went wrong:
Could not resolve all files for configuration ':compileClasspath'.`,
    "Could not resolve all files for configuration ':compileClasspath'.",
  ],
  [
    "Kotlin",
    `e: file:///src/A.kt:3:5 Unresolved reference 'y'.`,
    "/src/A.kt:3:5: Unresolved reference 'y'.",
  ],
  [
    "Maven",
    `[INFO] BUILD FAILURE
[ERROR] /src/A.java:[3,9] cannot find symbol`,
    "/src/A.java:3:9: cannot find symbol",
  ],
  [
    "JUnit in Gradle",
    `> Task :test FAILED

FooTest > bar() FAILED
    org.opentest4j.AssertionFailedError at FooTest.java:12`,
    "test FooTest > bar() failed",
  ],
  [
    "Python",
    `Traceback (most recent call last):
  File "/src/a.py", line 5, in <module>
    g()
  File "/src/a.py", line 2, in f
    return {}["a"]
           ~~^^^^^
KeyError: 'a'`,
    "/src/a.py:2: KeyError: 'a'",
  ],
  [
    "Python's parser",
    `  File "/src/b.py", line 1
    x = (
        ^
SyntaxError: '(' was never closed`,
    "/src/b.py:1: SyntaxError: '(' was never closed",
  ],
  [
    "unittest",
    `..F
======================================================================
FAIL: test_it (t.T.test_it)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/src/t.py", line 4, in test_it
    self.assertEqual(1, 2)
AssertionError: 1 != 2`,
    "/src/t.py:4: AssertionError: 1 != 2",
  ],
  [
    "pytest",
    `=================================== FAILURES ===================================
___________________________________ test_x ____________________________________

    def test_x():
>       assert f() == 2
E       assert 1 == 2
E        +  where 1 = f()

tests/test_a.py:5: AssertionError
=========================== short test summary info ============================
FAILED tests/test_a.py::test_x - assert 1 == 2`,
    "tests/test_a.py:5: assert 1 == 2",
  ],
  [
    "ctest",
    `    Start 1: t
1/2 Test #1: t ................................Subprocess aborted***Exception:   0.00 sec
t: /src/cm/t.c:3: main: Assertion \`c>1' failed.

0% tests passed, 2 tests failed out of 2
The following tests FAILED:
	  1 - t (Subprocess aborted)
Errors while running CTest`,
    "/src/cm/t.c:3: Assertion `c>1' failed",
  ],
  [
    "ctest, of a test without words",
    `1/2 Test #1: t ................................   Passed    0.00 sec
2/2 Test #2: u ................................***Failed    0.00 sec

The following tests FAILED:`,
    "test u failed",
  ],
  [
    "Meson tests",
    `1/2 ok          OK              0.01s
2/2 quiet       FAIL            0.01s   exit status 3

Summary of Failures:`,
    "test quiet failed",
  ],
  [
    "gtest",
    `[ RUN      ] S.N
g.cc:2: Failure
Expected equality of these values:
  1
  2
why
[  FAILED  ] S.N (0 ms)`,
    "g.cc:2: Expected equality of these values: 1 2",
  ],
  [
    "automake's tests",
    `PASS: one
FAIL: two
# FAIL:  1
make[1]: *** [Makefile:600: test-suite.log] Error 1`,
    "test two failed",
  ],
  ["TAP", `ok 1 - a\nnot ok 2 - b\n1..2`, "test b failed"],
  [
    "Go",
    `# example.com/m
./main.go:5:2: undefined: x`,
    "./main.go:5:2: undefined: x",
  ],
  [
    "AddressSanitizer",
    `==20444==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000013 at pc 0x55
WRITE of size 1 at 0x602000000013 thread T0
    #0 0x55b84613927d in main /src/sa/a.c:2

SUMMARY: AddressSanitizer: heap-buffer-overflow /src/sa/a.c:2 in main`,
    "/src/sa/a.c:2: AddressSanitizer: heap-buffer-overflow",
  ],
  [
    "UndefinedBehaviorSanitizer",
    `a.c:2:70: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'`,
    "a.c:2:70: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'",
  ],
  ["a shell without the program", "sh: 1: nothere: not found", "nothere: not found"],
  [
    "bash without the program",
    "bash: line 1: nothere: command not found",
    "nothere: command not found",
  ],
  [
    "a script",
    "./s.sh: line 2: nothere: command not found",
    "./s.sh:2: nothere: command not found",
  ],
  ["a program that may not run", "sh: 1: ./sa: Permission denied", "./sa: Permission denied"],
  [
    "a copy of nothing",
    "cp: cannot stat 'nothere': No such file or directory",
    "cp: cannot stat 'nothere': No such file or directory",
  ],
  ["env", "env: ‘nothere’: No such file or directory", "env: 'nothere': No such file or directory"],
  ["a kill", "bash: 20478 Killed                  sh -c 'kill -9 $$'", "Killed"],
  [
    "a crash",
    "Segmentation fault (core dumped)\nmake: *** [Makefile:2: check] Error 139",
    "Segmentation fault (core dumped)",
  ],
  [
    "memory that ran out",
    "virtual memory exhausted: Cannot allocate memory",
    "virtual memory exhausted: Cannot allocate memory",
  ],
  [
    "TypeScript",
    "src/a.ts(3,5): error TS2304: Cannot find name 'x'.",
    "src/a.ts:3:5: TS2304: Cannot find name 'x'.",
  ],
  ["npm", "npm ERR! code E404\nnpm ERR! 404 Not Found - GET x", "404 Not Found - GET x"],
  ["nothing that anybody knows", "hello\nworld", "nothing"],
];
