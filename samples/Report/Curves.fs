namespace Curvature.Samples.Report

open System
open Curvature
open Curvature.FSharp

/// The share of eigenvalues at or below each of some numbers, with its 95 % band.
type CumulativeCurve = { Grid: float[]; Values: float[]; Low: float[]; High: float[] }

/// What the random vectors say of the spectrum.
type SpectralCurves =
    {
        /// Smoothed, on a grid.
        Density: SpectralDensity
        /// On the same grid.
        Cumulative: CumulativeCurve
        /// On a grid that is fine around 0, where most eigenvalues are.
        AroundZero: CumulativeCurve
        /// How far from 0 that grid is coarse.
        Threshold: float
    }

[<RequireQualifiedAccess>]
module SpectralCurves =

    /// The number of eigenvalues above a hundredth of the largest.
    let large (spectrum: SpectralSample) : Estimate<float> =
        CumulativeDensity.count (0.01 * abs spectrum.Largest, Double.MaxValue) spectrum

    let private cumulative (spectrum: SpectralSample) (grid: float[]) =
        let share = CumulativeDensity.ofSample spectrum
        let bands = grid |> Array.map (fun x -> share.Band(x, 0.95))

        {
            Grid = grid
            Values = grid |> Array.map share.At
            Low = bands |> Array.map _.Low
            High = bands |> Array.map _.High
        }

    /// Numbers from low to high whose distance grows with their size, on both sides of 0.
    let private symmetric (threshold: float) (low: float) (high: float) =
        let forward x = float (sign x) * log10 (1.0 + abs x / threshold)
        let backward y = float (sign y) * threshold * (Math.Pow(10.0, abs y) - 1.0)
        let first, last = forward low, forward high
        Array.init 401 (fun i -> backward (first + (last - first) * float i / 400.0))

    /// The curves of a report.
    let ofReport (report: Report) : SpectralCurves =
        let spectrum = report.Spectrum
        let size = max (abs spectrum.Least) (abs spectrum.Largest)
        let threshold = Math.Pow(10.0, floor (log10 (max 1e-300 size)) - 4.0)
        let margin = 0.02 * (spectrum.Largest - spectrum.Least)
        let density = SpectralDensity.ofSample Smoothing.papyan spectrum

        {
            Density = density
            Cumulative = cumulative spectrum density.Grid
            AroundZero = cumulative spectrum (symmetric threshold (spectrum.Least - margin) (spectrum.Largest + margin))
            Threshold = threshold
        }
