/// Convolutions by PoCL against a direct loop.
module Curvature.Tests.CudaWithoutCard.ConvolutionPlanTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests
open Curvature.Tests.CudaWithoutCard.PlanRuns
open Curvature.Tests.Unit.Kernels
open Curvature.Tests.Unit.Kernels.ConvolutionCases

let private cases =
    [
        { plain with
            Images = 2
            Height = WindowAxis(7, 3, 1, 1, 1)
            Width = WindowAxis(9, 3, 1, 1, 1)
            Channels = 16
            Filters = 16
        }
        { plain with
            Images = 3
            Height = WindowAxis(8, 3, 2, 1, 1)
            Width = WindowAxis(6, 2, 3)
            Channels = 5
            Filters = 20
        }
        { plain with
            Images = 2
            Height = WindowAxis(11, 3, 2, 2, 3, 2)
            Width = WindowAxis(10, 3, 1, 0, 2, 3)
            Channels = 6
            Filters = 4
            Groups = 2
        }
        { plain with
            Images = 2
            Height = WindowAxis(5, 1)
            Width = WindowAxis(5, 1)
            Channels = 3
            Filters = 70
            Repeats = 3
        }
        { plain with
            Images = 1
            Height = WindowAxis(6, 3)
            Width = WindowAxis(4, 4, 1, 1, 2)
            Channels = 4
            Filters = 4
            Groups = 4
            Repeats = 2
            Shared = Some ConvolutionForm.FilterGradient
        }
        { plain with
            Images = 2
            Height = WindowAxis(4, 2)
            Width = WindowAxis(4, 2)
            Channels = 2
            Filters = 3
            Repeats = 2
            Shared = Some ConvolutionForm.InputGradient
        }
        { plain with
            Images = 6
            Height = WindowAxis(16, 3, 1, 1, 1)
            Width = WindowAxis(16, 3, 1, 1, 1)
            Channels = 3
            Filters = 8
        }
        { plain with
            Height = WindowAxis(4, 3, 1, 1, 1)
            Width = WindowAxis(4, 3, 1, 1, 1)
            Channels = 128
            Filters = 8
            Groups = 2
            Repeats = 2
        }
        { plain with
            Height = WindowAxis(5, 3, 2, 1, 1)
            Width = WindowAxis(5, 3, 2, 1, 1)
            Channels = 8
            Filters = 128
            Groups = 2
            Repeats = 2
        }
        { plain with
            Images = 2
            Height = WindowAxis(2, 3)
            Width = WindowAxis(4, 2)
            Channels = 2
            Filters = 3
        }
    ]

let private check (random: Random) dtype (tolerance: float) case form accumulate =
    let data = numbers random case |> Array.map (Array.map (float32 >> float))
    let blocks = [| for values in data -> Block(dtype, values) |]
    let plan = ConvolutionPlans.Make(describe dtype accumulate case, form)
    runAt plan [| for block in blocks -> block.Address |] [] |> ignore
    Expect.close tolerance (expected case form accumulate data) blocks[place form].Values
    blocks |> Array.iter GC.KeepAlive
    plan

[<Tests>]
let tests =
    testList "CudaWithoutCard.ConvolutionPlanTests" [
        test "every form, with strides, padding, dilation, groups and repetition" {
            Pocl.require ()
            let random = Random 31
            let mutable split = 0

            for case in cases do
                for form in forms do
                    if case.Shared <> Some form then
                        for accumulate in [ false; true ] do
                            let plan = check random DType.Float64 1e-13 case form accumulate
                            check random DType.Float32 3e-6 case form accumulate |> ignore

                            if plan.Launches.Length > 1 then split <- split + 1

            Expect.isGreaterThan "some sums are split" (split, 5)
        }
    ]
