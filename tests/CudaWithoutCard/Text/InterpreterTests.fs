/// The interpreter itself: that it refuses what is wrong, so that a text it runs has been looked at.
module Curvature.Tests.CudaWithoutCard.InterpreterTests

open System
open Expecto
open Expecto.Flip
open Curvature.Tests
open Curvature.Tests.Unit.Kernels.Support

let private ptx declarations body =
    String.concat "\n" [
        ".version 7.0"
        ".target sm_80"
        ".address_size 64"
        ".visible .entry test(.param .u64 p0)"
        "{"
        "\t.reg .b32 %v<4>;"
        "\t.reg .b64 %w<4>;"
        "\t.reg .pred %p<4>;"
        yield! declarations
        "\tld.param.u64 %w0, [p0];"
        yield! body
        "\tret;"
        "}"
    ]

let private runs body =
    let memory = upload TapeRuns.device [| 1.0; 2.0 |]
    PtxInterpreter(ptx [] body).Run(1L, 1, [| uint64 memory.Address |], [ memory.Address, 16L ])
    download<float> TapeRuns.device 2 memory

let private refused (message: string) body =
    let error = Expect.caught<exn>(fun () -> runs body |> ignore)
    Expect.stringContains error.Message message error.Message

[<Tests>]
let tests =
    testList "CudaWithoutCard.InterpreterTests" [
        test "a text that is right runs" {
            let result =
                runs [ "\tld.global.f64 %w1, [%w0+8];"; "\tadd.rn.f64 %w2, %w1, %w1;"; "\tst.global.f64 [%w0], %w2;" ]

            Expect.equal "twice the second" [| 4.0; 2.0 |] result
        }

        test "wrong texts are refused, and the message says why" {
            refused "not declared" [ "\tmov.b32 %v9, 1;" ]
            refused "before it is written" [ "\tadd.s32 %v1, %v2, 1;" ]
            refused "not of kind" [ "\tadd.s32 %v1, %w0, 1;" ]
            refused "not of kind" [ "\tmov.b32 %w1, 1;" ]
            refused "not known" [ "\tadd.rz.f64 %w1, %w0, %w0;" ]
            refused "outside its arrays" [ "\tld.global.f64 %w1, [%w0+16];" ]
            refused "outside its arrays" [ "\tmov.b64 %w1, 0;"; "\tst.global.f64 [%w0+-8], %w1;" ]
            refused "not a multiple" [ "\tld.global.f64 %w1, [%w0+4];" ]
            refused "Not PTX" [ "\tmov.b32 %v1, 1" ]
        }
    ]
