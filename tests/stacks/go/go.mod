module batchproof.example/stack

go 1.19
