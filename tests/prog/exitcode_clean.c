// SPDX-License-Identifier: MIT
// Without errors the status is the program's own.
// OPTIONS: --error-exitcode=42
// EXIT: 7
int main(void)
{
    return 7;
}
