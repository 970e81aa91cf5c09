/// A kernel of every sort, whose results have the same bits on every device: sums of whole numbers, and work that the
/// processor's own functions do.
module Curvature.Tests.CudaWithoutCard.KernelCases

open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

/// Whole numbers.
let private numbers size = Array.init size (fun i -> float ((i * 37) % 19 - 9))

let private values size (device: Device) = upload device (numbers size)
let private blank size (device: Device) = upload device (Array.create<float> size nan)
let private integers (items: int list) (device: Device) = upload device (Array.ofList items)
let private zeros size = integers (List.replicate size 0)
let private operand (shape: int[]) slot = (denseLayout shape).Operand slot
let private at slot = Place(slot, 0L)

/// The bits of an array after a kernel has run on new ones.
let private after<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> System.ValueType>
    (make: Device -> Kernel)
    (arrays: (Device -> DeviceMemory) list)
    slot
    (device: Device)
    =
    let memory = [ for upload in arrays -> upload device ]
    run device (make device) memory
    let array: DeviceMemory = memory[slot]
    download<'T> device (int array.Bytes / sizeof<'T>) array |> bits

let private copy =
    CopyDescription(DType.Float64, DType.Int32, [| 30; 5 |], Operand(0, 0L, [| 1; 30 |]), operand [| 30; 5 |] 1)

let private tape =
    let shape = [| 40; 6 |]
    let code = [| Instruction(OpCode.Multiply, 0, 1); Instruction(OpCode.Sigmoid, 2) |]
    TapeDescription(DType.Float64, shape, [| operand shape 0 |], [| 0.5 |], code, [| TapeOutput(3, operand shape 1) |])

let private sumOfTape =
    let shape = [| 3; 5000 |]
    let code = [| Instruction(OpCode.Multiply, 0, 0) |]
    TapeDescription(DType.Float64, shape, [| operand shape 0 |], [||], code, [| TapeOutput(1, operand [| 3 |] 1, 1) |])

let private reduction kind =
    ReductionDescription(DType.Float64, kind, [| 20; 300 |], [| 1 |], operand [| 20; 300 |] 0, operand [| 20 |] 1)

let private indexing = IndexingDescription(DType.Float64, IndexingSizes(1, 2, 7, 4, 3), at 0, at 1, at 2)
let private index = integers [ 6; 0; 3; 3 ]
let private windows = WindowSizes(2, WindowAxis(4, 2, 2), WindowAxis(4, 2, 2), 3)
let private axis role size a b c = ContractionAxis(role, size, a, b, c)
let private contraction axes = ContractionDescription(DType.Float64, axes, at 0, at 1, at 2)

/// Several axes of a kind take a table of places.
let private tables =
    contraction [| axis AxisRole.Left 3 4 0 10; axis AxisRole.Left 2 30 0 40; axis AxisRole.Inner 4 1 1 0 |]

/// Few results of long sums are split.
let private long = contraction [| axis AxisRole.Inner 900 1 1 0 |]

let private matrices =
    contraction [| axis AxisRole.Left 70 1 0 33; axis AxisRole.Right 33 0 40 1; axis AxisRole.Inner 40 70 1 0 |]

let private convolution =
    let sizes = ConvolutionSizes(2, WindowAxis(6, 3, 1, 1, 1), WindowAxis(5, 3, 2, 1, 1), 4, 8, 2)
    let place slot = RepeatedPlace(at slot)
    ConvolutionDescription(DType.Float64, sizes, place 0, place 1, place 2)

let private convolve form slot =
    let arrays = [ values 240; values 144; values 288 ]
    after<float> (fun d -> d.Convolve(convolution, form)) arrays slot

let private cumulative = CumulativeSumDescription(DType.Float64, 2, 9, 3, true, at 0, at 1)
let private sort = ArgSortDescription(DType.Float64, 3, 8, true, Place(0, 2L), Place(1, 1L))
let private windowSum adjoint = WindowSumDescription(DType.Float64, windows, adjoint, at 0, at 1)
let private largest = WindowMaximumDescription(DType.Float64, windows, at 0, at 1)
let private random distribution = RandomDescription(DType.Float64, distribution, 1u, 2u, 3L, 500L, at 0)

let all: (string * (Device -> int64[])) list =
    [
        "copy", after<int> (fun d -> d.Copy copy) [ values 150; zeros 150 ] 1
        "tape", after<float> (fun d -> d.Map tape) [ values 240; blank 240 ] 1
        "sum of a tape", after<float> (fun d -> d.Map sumOfTape) [ values 15000; blank 3 ] 1
        "sum", after<float> (fun d -> d.Reduce(reduction ReductionKind.Sum)) [ values 6000; blank 20 ] 1
        "maximum", after<float> (fun d -> d.Reduce(reduction ReductionKind.Maximum)) [ values 6000; blank 20 ] 1
        "position", after<int> (fun d -> d.Reduce(reduction ReductionKind.ArgMaximum)) [ values 6000; zeros 20 ] 1
        "gather", after<float> (fun d -> d.Gather indexing) [ values 42; index; blank 24 ] 2
        "scatter-add", after<float> (fun d -> d.ScatterAdd indexing) [ values 24; index; blank 42 ] 2
        "cumulative sum", after<float> (fun d -> d.CumulativeSum cumulative) [ values 54; blank 54 ] 1
        "sort", after<int> (fun d -> d.ArgSort sort) [ values 26; zeros 25 ] 1
        "window sums", after<float> (fun d -> d.SumWindows(windowSum false)) [ values 96; blank 24 ] 1
        "window sums, adjoint", after<float> (fun d -> d.SumWindows(windowSum true)) [ values 24; blank 96 ] 1
        "largest of windows", after<int> (fun d -> d.MaximumOfWindows largest) [ values 96; zeros 24 ] 1
        "product", after<float> (fun d -> d.Contract matrices) [ values 2800; values 1320; blank 2310 ] 2
        "product by tables", after<float> (fun d -> d.Contract tables) [ values 100; values 4; values 100 ] 2
        "product in parts", after<float> (fun d -> d.Contract long) [ values 900; values 900; blank 1 ] 2
        "convolution", convolve ConvolutionForm.Forward 2
        "convolution, input gradient", convolve ConvolutionForm.InputGradient 0
        "convolution, filter gradient", convolve ConvolutionForm.FilterGradient 1
        for distribution in [ Distribution.Uniform; Distribution.Normal; Distribution.Rademacher ] do
            $"random, {distribution}", after<float> (fun d -> d.Random(random distribution)) [ blank 500 ] 0
    ]
