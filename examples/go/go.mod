module genmod.example/digits

go 1.19
