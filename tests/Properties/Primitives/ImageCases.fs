namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.Kernels

/// Cases of convolutions and of windows over images.
module internal ImageCases =

    /// Windows on an axis: odd sizes, strides, zeros on each side, dilation.
    let private axis: Gen<WindowAxis> =
        gen {
            let! input = Gen.choose (1, 7)
            let! kernel = Gen.choose (1, 3)
            let! stride = Gen.choose (1, 3)
            let! before = Gen.choose (0, 2)
            let! after = Gen.choose (0, 2)
            let! dilation = Gen.choose (1, 2)
            return WindowAxis(input, kernel, stride, before, after, dilation)
        }
        |> Gen.where (fun axis -> axis.Output > 0)

    /// Fewer and more channels than a vector holds numbers, and counts that no vector divides.
    let private channelCount: Gen<int> = Gen.frequency [ 4, Gen.choose (1, 3); 1, Gen.elements [ 5; 8; 17 ] ]

    let private images: Gen<int> = Gen.frequency [ 6, Gen.choose (1, 2); 1, Gen.constant 0 ]

    let private convolve =
        StructureCases.entry<Convolve>
            Generators.floating
            [ 0; 1 ]
            (fun () ->
                let narrow, wide = WindowAxis(4, 3), WindowAxis(5, 3)

                [
                    Convolve(ConvolutionRole.Output, narrow, narrow, 1)
                    Convolve(ConvolutionRole.Input, narrow, narrow, 1)
                    Convolve(ConvolutionRole.Filters, narrow, narrow, 1)
                    Convolve(ConvolutionRole.Output, wide, narrow, 1)
                    Convolve(ConvolutionRole.Output, narrow, wide, 1)
                    Convolve(ConvolutionRole.Output, narrow, narrow, 2)
                ])
            (fun dtype ->
                gen {
                    let! height = axis
                    let! width = axis
                    let! images = images
                    let! groups = Gen.choose (1, 2)
                    let! channels = channelCount
                    let! filters = channelCount

                    let! role = Gen.elements [ ConvolutionRole.Input; ConvolutionRole.Filters; ConvolutionRole.Output ]

                    let shape operand =
                        match operand with
                        | ConvolutionRole.Input -> [| images; height.Input; width.Input; channels * groups |]
                        | ConvolutionRole.Filters -> [| height.Kernel; width.Kernel; channels; filters * groups |]
                        | _ -> [| images; height.Output; width.Output; filters * groups |]

                    let primitive = Convolve(role, height, width, groups)
                    let! repeats = Gen.choose (1, 3)
                    let! repeated = Gen.listOfLength 2 (Gen.frequency [ 2, Gen.constant false; 1, Gen.constant true ])

                    let operand k =
                        let shape = shape primitive.Roles[k]
                        Generators.ordinary dtype (if repeated[k] then Array.append [| repeats |] shape else shape)

                    let! first = operand 0
                    let! second = operand 1
                    return primitive :> Primitive, [ first; second ]
                })

    let private windowSums =
        StructureCases.entry<WindowSums>
            Generators.floating
            [ 0 ]
            (fun () ->
                let narrow, wide = WindowAxis(4, 3), WindowAxis(5, 3)

                [
                    WindowSums(narrow, narrow, false)
                    WindowSums(narrow, narrow, true)
                    WindowSums(wide, narrow, false)
                    WindowSums(narrow, wide, false)
                ])
            (fun dtype ->
                gen {
                    let! height = axis
                    let! width = axis
                    let! images = images
                    let! channels = channelCount
                    let! adjoint = Gen.elements [ false; true ]

                    let rows, columns = if adjoint then height.Output, width.Output else height.Input, width.Input

                    let! operand = Generators.ordinary dtype [| images; rows; columns; channels |]
                    return WindowSums(height, width, adjoint) :> Primitive, [ operand ]
                })

    let private windowMaxima =
        // Every window has an element inside the image.
        let inside = axis |> Gen.where (fun axis -> max axis.Before axis.After < axis.Kernel && axis.Dilation = 1)

        StructureCases.entry<WindowMaxima>
            Generators.floating
            []
            (fun () ->
                let narrow, wide = WindowAxis(4, 3), WindowAxis(5, 3)
                [ WindowMaxima(narrow, narrow); WindowMaxima(wide, narrow); WindowMaxima(narrow, wide) ])
            (fun dtype ->
                gen {
                    let! height = inside
                    let! width = inside
                    let! leading = Generators.shape 0 1
                    let! images = images
                    let! channels = channelCount
                    let shape = Array.append leading [| images; height.Input; width.Input; channels |]
                    let! operand = Generators.ordinary dtype shape
                    return WindowMaxima(height, width) :> Primitive, [ operand ]
                })
        |> StructureCases.held

    let entries: Entry list = [ convolve; windowSums; windowMaxima ]
