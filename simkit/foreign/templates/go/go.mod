module sessiontimer

go 1.25
