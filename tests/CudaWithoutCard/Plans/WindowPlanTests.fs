/// Windows of images by PoCL against the processor.
module Curvature.Tests.CudaWithoutCard.WindowPlanTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.PlanRuns
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private cases =
    [
        WindowSizes(2, WindowAxis(8, 2, 2), WindowAxis(8, 2, 2), 3)
        WindowSizes(1, WindowAxis(9, 3, 2, 1, 1), WindowAxis(7, 3, 1, 1, 1), 4)
        WindowSizes(4, WindowAxis(11, 3, 2, 2, 3, 2), WindowAxis(10, 2, 3, 1, 1, 3), 2)
        WindowSizes(2, WindowAxis(5, 5), WindowAxis(1, 1), 1)
        WindowSizes(2, WindowAxis(2, 3), WindowAxis(4, 2), 5)
        WindowSizes(0, WindowAxis(8, 2, 2), WindowAxis(8, 2, 2), 3)
    ]

let private inputs (sizes: WindowSizes) = sizes.Images * sizes.Height.Input * sizes.Width.Input * sizes.Channels
let private outputs (sizes: WindowSizes) = sizes.Images * sizes.Height.Output * sizes.Width.Output * sizes.Channels

/// Whole numbers: their sums are exact, and there are ties.
let private draw (random: Random) count = Array.init count (fun _ -> float (random.Next(-9, 10)))

let private sums<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    random
    sizes
    adjoint
    (convert: float -> 'T)
    =
    let source, target = if adjoint then outputs sizes, inputs sizes else inputs sizes, outputs sizes
    let sum = WindowSumDescription(dtypeOf<'T>, sizes, adjoint, Place(0, 2L), Place(1, 3L))
    let values = draw random (source + 2) |> Array.map convert
    let make () = [ upload device values; upload device (Array.create (target + 4) (convert (float mark))) ]
    both<'T> (WindowPlans.Make sum) (device.SumWindows sum) make 1 ||> sameBits $"sum {sizes} {adjoint}"

let private largest<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    random
    sizes
    stacks
    (convert: float -> 'T)
    =
    let maximum = WindowMaximumDescription(dtypeOf<'T>, sizes, Place(0, 2L), Place(1, 3L), stacks)
    let values = draw random (inputs sizes + 2)
    if values.Length > 20 then values[9] <- nan
    if values.Length > 20 then values[10] <- -infinity
    let values = Array.map convert values
    let make () = [ upload device values; upload device (Array.create (outputs sizes + 4) mark) ]
    both<int> (WindowPlans.Make maximum) (device.MaximumOfWindows maximum) make 1 ||> sameBits $"largest {sizes}"

[<Tests>]
let tests =
    testList "CudaWithoutCard.WindowPlanTests" [
        test "sums over windows and their adjoint, with strides, padding and dilation" {
            Pocl.require ()
            let random = Random 3

            for sizes in cases do
                for adjoint in [ false; true ] do
                    sums<float> random sizes adjoint id
                    sums<float32> random sizes adjoint float32
        }

        test "positions of the largest elements, with ties, NaN and stacks" {
            Pocl.require ()
            let random = Random 5

            for sizes in cases do
                for stacks in 1 .. max 1 sizes.Images do
                    if sizes.Images % stacks = 0 then
                        largest<float> random sizes stacks id
                        largest<float32> random sizes stacks float32
        }
    ]
